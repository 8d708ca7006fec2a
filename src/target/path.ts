import { below, encodeName, padded, type ObjectName } from './key.ts';

/** Where a run's objects go. */
export type Paths = {
  /** Record fields that decide where a row goes, in order. */
  readonly fields: readonly string[];
  /** The key of an object; `folders` has one `name=value` for each field. */
  readonly keyOf: (name: ObjectName, folders: readonly string[]) => string;
  /** Which object of which run this is, or undefined if the key is not of our making. */
  readonly makerOf: (key: string) => Maker | undefined;
};

export type Maker = Pick<ObjectName, 'runId' | 'number'>;

const DEFAULT = '{stream}/ingest_date={date}/{stream}-{run_id}-{number}';
const DEFAULT_PARTITIONED = '{stream}/{partition}/ingest_date={date}/{stream}-{run_id}-{number}';
const REJECTED = '_rejected/{stream}/{stream}-{run_id}-{number}';
const RUN_ID = String.raw`\d{8}T\d{9}Z-[0-9a-f]{10}`;
const RECORD = 'record.';

type Time = { readonly pattern: string; readonly of: (iso: string) => string };
const TIMES: ReadonlyMap<string, Time> = new Map([
  ['date', { pattern: String.raw`\d{4}-\d\d-\d\d`, of: (iso) => iso.slice(0, 10) }],
  ['year', { pattern: String.raw`\d{4}`, of: (iso) => iso.slice(0, 4) }],
  ['month', { pattern: String.raw`\d\d`, of: (iso) => iso.slice(5, 7) }],
  ['day', { pattern: String.raw`\d\d`, of: (iso) => iso.slice(8, 10) }],
  ['hour', { pattern: String.raw`\d\d`, of: (iso) => iso.slice(11, 13) }],
]);
const NAMES = ['stream', ...TIMES.keys(), 'run_id', 'number', 'part', 'partition'];

/** What is wrong with a path template, if something is. */
export function templateProblem(template: string, partitionBy: readonly string[]): string | undefined {
  const { names, literals } = parse(template);
  const unknown = names.find(
    (name) => !NAMES.includes(name) && !(name.startsWith(RECORD) && name.length > 7),
  );
  if (unknown !== undefined)
    return `{${unknown}} is not known; use ${NAMES.map((name) => `{${name}}`).join(', ')} or {record.FIELD}`;
  if (!names.includes('run_id') || !(names.includes('number') || names.includes('part')))
    return 'must have {run_id} and {number}, so that no two objects have the same name';
  if (names.includes('partition') !== partitionBy.length > 0)
    return partitionBy.length > 0
      ? 'must have {partition}, since partition_by is set'
      : '{partition} needs partition_by';
  const odd = literals.find((text) => !/^[A-Za-z0-9_.=/-]*$/.test(text));
  if (odd !== undefined)
    return `only letters, digits and - _ . = / may stand between the words: ${JSON.stringify(odd)}`;
  if (/^[/_.]|\/[/.]|\/$/.test(template))
    return 'its parts must not be empty, and not begin with a dot; the first not with _';
  return undefined;
}

/** The places that the settings ask for; the template must be free of problems. */
export function paths(prefix: string, template: string | undefined, partitionBy: readonly string[]): Paths {
  const usual = partitionBy.length > 0 ? DEFAULT_PARTITIONED : DEFAULT;
  const chosen = template ?? usual;
  const { names } = parse(chosen);
  const inTemplate = names.filter((name) => name.startsWith(RECORD)).map((name) => name.slice(RECORD.length));
  const fields = [...new Set([...partitionBy, ...inTemplate])];
  const own = [chosen, DEFAULT, REJECTED].map((text) => pattern(prefix, text, partitionBy));
  return {
    fields,
    keyOf: (name, folders) => {
      const iso = new Date(name.begunAt).toISOString();
      const folderOf = (field: string): string => folders[fields.indexOf(field)] ?? '';
      const key = chosen.replaceAll(/\{([^{}]*)\}/g, (_, word: string) => {
        if (word === 'stream') return encodeName(name.stream);
        if (word === 'run_id') return name.runId;
        if (word === 'number' || word === 'part') return padded(name.number);
        if (word === 'partition') return partitionBy.map(folderOf).join('/');
        return TIMES.get(word)?.of(iso) ?? folderOf(word.slice(RECORD.length));
      });
      return below(prefix, key + name.extension);
    },
    makerOf: (key) => {
      for (const one of own) {
        const { run, number } = one.exec(key)?.groups ?? {};
        if (run !== undefined) return { runId: run, number: Number(number) };
      }
      return undefined;
    },
  };
}

/** The key of an object of rejected lines. */
export function rejectedKey(prefix: string, { stream, runId, number, extension }: ObjectName): string {
  const name = encodeName(stream);
  return below(prefix, '_rejected', name, `${name}-${runId}-${padded(number)}${extension}`);
}

function parse(template: string): { readonly names: string[]; readonly literals: string[] } {
  const parts = template.split(/\{([^{}]*)\}/);
  return { names: parts.filter((_, i) => i % 2 === 1), literals: parts.filter((_, i) => i % 2 === 0) };
}

function pattern(prefix: string, template: string, partitionBy: readonly string[]): RegExp {
  const seen = new Set<string>();
  const group = (name: string, text: string): string => {
    if (seen.has(name)) return String.raw`\k<${name}>`;
    seen.add(name);
    return `(?<${name}>${text})`;
  };
  const folder = (field: string): string => `${literal(encodeName(field))}=[^/]*`;
  const text = template.split(/\{([^{}]*)\}/).map((part, i) => {
    if (i % 2 === 0) return literal(part);
    if (part === 'stream') return group('stream', '[^/]+');
    if (part === 'run_id') return group('run', RUN_ID);
    if (part === 'number' || part === 'part') return group('number', String.raw`\d{6,}`);
    if (part === 'partition') return partitionBy.map(folder).join('/');
    return TIMES.get(part)?.pattern ?? folder(part.slice(RECORD.length));
  });
  const start = prefix === '' ? '' : `${literal(prefix)}/`;
  return new RegExp(String.raw`^${start}${text.join('')}\.(jsonl|csv)(\.gz|\.zst)?$`);
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
