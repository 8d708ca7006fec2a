import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { sampleSite } from './sample-site.ts';
import { startJira } from './server.ts';
import type { Site } from './site.ts';
import { DEFAULT_USER } from './state.ts';

const { values } = parseArgs({
  options: {
    flavour: { type: 'string', default: 'datacenter' },
    issues: { type: 'string', default: '1000' },
    'issue-bytes': { type: 'string' },
    projects: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    port: { type: 'string', default: '0' },
    /** Edit one issue every so many requests. */
    'edit-every': { type: 'string' },
    auth: { type: 'string', default: 'token' },
    'time-zone': { type: 'string', default: 'Europe/Berlin' },
    'cache-bytes': { type: 'string' },
    gzip: { type: 'boolean', default: false },
  },
});

type Command = {
  readonly edit?: { readonly count?: number; readonly ids?: readonly string[] };
  readonly create?: {
    readonly count?: number;
    readonly project?: string;
    readonly fields?: Record<string, unknown>;
  };
  readonly remove?: { readonly count?: number; readonly ids?: readonly string[] };
};

type Turn = { at: number; ids: string[] };

const print = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

/** Issues named by a command, or the next ones in turn, spread over the site. */
const choose = (site: Site, turn: Turn, given: { count?: number; ids?: readonly string[] }): string[] => {
  if (given.ids !== undefined) return [...given.ids];
  if (turn.ids.length !== site.size) turn.ids = [...site.all()].map((issue) => issue.id);
  const { ids } = turn;
  const chosen = new Set<string>();
  for (let left = Math.min(given.count ?? 1, ids.length); left > 0; left -= 1) {
    turn.at = (turn.at + 7919) % ids.length;
    chosen.add(ids[turn.at]!);
  }
  return [...chosen];
};

const obey = (site: Site, turn: Turn, command: Command): string[] => {
  if (command.edit) {
    const ids = choose(site, turn, command.edit);
    for (const id of ids) site.edit(id, { summary: `Edited at ${site.now()}` });
    return ids;
  }
  if (command.create) {
    const { count = 1, project = [...site.projects.keys()][0]!, fields = {} } = command.create;
    return Array.from({ length: count }, () => site.create(project, fields).id);
  }
  if (command.remove) {
    const ids = choose(site, turn, command.remove);
    for (const id of ids) site.remove(id);
    return ids;
  }
  throw new Error('a command is one of edit, create, remove');
};

const cloud = values.flavour === 'cloud';
const site = sampleSite({
  issues: Number(values.issues),
  projects: Number(values.projects),
  seed: Number(values.seed),
  ...(values['issue-bytes'] !== undefined && { issueBytes: Number(values['issue-bytes']) }),
});
const turn: Turn = { at: 0, ids: [] };
const every = Number(values['edit-every'] ?? 0);
const editSome = ({ number }: { number: number }): void => {
  if (every > 0 && number % every === 0) obey(site, turn, { edit: { count: 1 } });
};
const jira = await startJira(
  {
    flavour: cloud ? 'cloud' : 'datacenter',
    site,
    users: [{ ...DEFAULT_USER, timeZone: values['time-zone'] }],
    record: false,
    gzip: values.gzip,
    onRequest: editSome,
    ...(values['cache-bytes'] !== undefined && { cacheBytes: Number(values['cache-bytes']) }),
  },
  Number(values.port),
);

const { email, apiToken, token, name, password } = DEFAULT_USER;
const dataCenter =
  values.auth === 'basic'
    ? { auth_type: 'basic', username: name, password }
    : { auth_type: 'personal_access_token', token };
const credentials = cloud ? { auth_type: 'api_token', email, api_token: apiToken } : dataCenter;
print({ url: jira.url, config: { base_url: jira.url, credentials } });

const lines = createInterface({ input: process.stdin });
process.once('SIGTERM', () => lines.close());
lines.on('line', (line) => {
  if (line.trim() === '') return;
  try {
    print({ ids: obey(site, turn, JSON.parse(line) as Command) });
  } catch (error) {
    print({ error: error instanceof Error ? error.message : 'unknown' });
  }
});
lines.once('close', () => {
  process.stdin.destroy();
  void jira.close();
});
