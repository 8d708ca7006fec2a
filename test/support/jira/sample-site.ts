import type { Comment, Fields, History, HistoryItem, Issue, IssueData, Worklog } from './model.ts';
import { descriptionOf, diceOf, sentenceOf, summaryOf } from './sample-text.ts';
import type { Dice } from './sample-text.ts';
import { priorityOf, statusOf, typeOf } from './site-defaults.ts';
import { Site } from './site.ts';
import { byFlavour, instant, link, person, rawJson, wiki } from './values.ts';

export type SampleOptions = {
  readonly issues?: number;
  /** A number of projects, or their keys. */
  readonly projects?: number | readonly string[];
  readonly seed?: number;
  /** About how many bytes an issue's JSON has with all its fields; default 4,500, the least is about 4,300. */
  readonly issueBytes?: number;
  /** The server's clock; the issues' times lie in the two years before its first reading. */
  readonly now?: () => number;
};

const KEYS = ['PAY', 'WEB', 'OPS', 'APP', 'DATA', 'ORDER', 'A_B1', 'X2', 'MOB', 'SEC'];
const PERSONS = ['ada', 'bruno', 'chiara', 'dmitri', 'eun', 'robot'];
const TYPES = [typeOf('10001', 'Story'), typeOf('10002', 'Bug'), typeOf('10003', 'Sub-task', true)];
const STATUSES = [
  statusOf('10000', 'To Do', 'new'),
  statusOf('3', 'In Progress', 'indeterminate'),
  statusOf('10002', 'Done', 'done'),
];
const PRIORITIES = [priorityOf('1', 'Highest'), priorityOf('3', 'Medium'), priorityOf('5', 'Lowest')];
const LABELS = ['backend', 'regression', 'quick-win', 'kunde', 'gdpr'];
const COMPONENTS = ['API', 'Checkout', 'Reports'].map((name, at) =>
  Object.freeze({ self: link(`component/${10_100 + at}`), id: String(10_100 + at), name }),
);
const OPTIONS = ['Gold', 'Silver', 'Bronze'].map((value, at) =>
  Object.freeze({ self: link(`customFieldOption/${10_200 + at}`), value, id: String(10_200 + at) }),
);

/** The custom fields of sample issues: two of them have the same name, as on real sites. */
export const SAMPLE_FIELD_NAMES: readonly [string, string][] = [
  ['customfield_10016', 'Story Points'],
  ['customfield_10019', 'Rank'],
  ['customfield_10020', 'Sprint'],
  ['customfield_10021', 'Tier'],
  ['customfield_10022', 'Tier'],
  ['customfield_10023', 'Area'],
  ['customfield_10024', 'Approvers'],
  ['customfield_10025', 'External id'],
  ['customfield_10026', 'Started at'],
  ['customfield_10027', 'Acceptance criteria'],
  ['customfield_10000', 'Development'],
];

const sprint = (number: number): unknown => {
  const name = `Sprint ${number}, part [a=1]`;
  const java = `com.atlassian.greenhopper.service.sprint.Sprint@7eede03a[id=${number},rapidViewId=2,state=ACTIVE,name=${name},startDate=<null>,goal=]`;
  return byFlavour([java], [{ id: number, name, state: 'active', boardId: 2, goal: '' }]);
};

const customFields = (dice: Dice, issue: Issue): Fields => ({
  customfield_10016: dice.below(3) === 0 ? null : dice.below(16) / 2,
  customfield_10019: `0|i${issue.id.padStart(6, '0')}:`,
  customfield_10020: dice.below(3) === 0 ? null : sprint(1 + dice.below(40)),
  customfield_10021: dice.pick(OPTIONS),
  customfield_10022: dice.below(2) === 0 ? null : [dice.pick(OPTIONS)],
  customfield_10023: { value: 'Europe', id: '10300', child: { value: 'Genève', id: '10301' } },
  customfield_10024: [person(dice.pick(PERSONS))],
  // Beyond 2^53: a reader that goes through floating point changes it.
  customfield_10025: rawJson(`9007199254740${100 + dice.below(900)}3`),
  customfield_10026: instant(issue.created + 86_400_000),
  customfield_10027: wiki(`* ${sentenceOf(dice)}\n* ${sentenceOf(dice)}`),
  customfield_10000: '{}',
  // Not on every project's screens: absent, which is not null.
  ...(dice.below(3) === 0 && { customfield_10158: 'EMEA' }),
});

const moments = (dice: Dice, issue: Issue, count: number): number[] =>
  Array.from(
    { length: count },
    () => issue.created + dice.below(Math.max(1, issue.updated - issue.created)),
  ).sort((a, b) => a - b);

const commentsOf = (dice: Dice, issue: Issue): Comment[] =>
  moments(dice, issue, dice.below(150) === 0 ? 25 : dice.below(2)).map((at, number) => ({
    id: `${issue.id}1${number}`,
    author: dice.pick(PERSONS),
    body: sentenceOf(dice),
    created: at,
    updated: at,
  }));

const worklogsOf = (dice: Dice, issue: Issue): Worklog[] =>
  moments(dice, issue, dice.below(200) === 0 ? 23 : Number(dice.below(4) === 0)).map((at, number) => ({
    id: `${issue.id}2${number}`,
    author: dice.pick(PERSONS),
    comment: sentenceOf(dice),
    created: at,
    updated: at,
    started: at - 3_600_000,
    seconds: 60 * (1 + dice.below(300)),
  }));

const step = (from: string, fromText: string, to: string, toText: string): readonly HistoryItem[] =>
  Object.freeze([{ field: 'status', from, fromText, to, toText }]);
const STEPS = [
  step('10000', 'To Do', '3', 'In Progress'),
  step('3', 'In Progress', '10002', 'Done'),
  step('10002', 'Done', '10000', 'To Do'),
];

const historiesOf = (dice: Dice, issue: Issue): History[] =>
  moments(dice, issue, dice.below(60) === 0 ? 45 : 1 + dice.below(3)).map((created, number) => ({
    id: `${issue.id}3${number}`,
    // Automation leaves histories that nobody wrote.
    ...(dice.below(9) > 0 && { author: dice.pick(PERSONS) }),
    created,
    items: dice.pick(STEPS),
  }));

const content = (seed: number, descriptionLength: number) => {
  return (issue: Issue): IssueData => {
    const dice = diceOf(seed ^ Number(issue.id));
    const done = dice.below(3) === 0;
    const fields: Fields = {
      summary: summaryOf(dice),
      issuetype: dice.pick(TYPES),
      status: done ? STATUSES[2] : dice.pick(STATUSES),
      priority: dice.pick(PRIORITIES),
      resolution: done
        ? { self: link('resolution/10000'), id: '10000', name: 'Done', description: '' }
        : null,
      resolutiondate: done ? instant(issue.updated) : null,
      labels: LABELS.filter(() => dice.below(4) === 0),
      components: dice.below(2) === 0 ? [] : [dice.pick(COMPONENTS)],
      fixVersions: [],
      assignee: dice.below(4) === 0 ? null : person(dice.pick(PERSONS)),
      reporter: person(dice.pick(PERSONS)),
      description:
        dice.below(20) === 0 && descriptionLength < 1000 ? null : descriptionOf(dice, descriptionLength),
      environment: null,
      duedate: dice.below(5) === 0 ? '2026-12-24' : null,
      timetracking: {},
      subtasks: [],
      issuelinks: [],
      attachment: [],
      votes: { self: link(`issue/${issue.key}/votes`), votes: 0, hasVoted: false },
      ...customFields(dice, issue),
    };
    return {
      fields,
      comments: commentsOf(dice, issue),
      worklogs: worklogsOf(dice, issue),
      histories: historiesOf(dice, issue),
    };
  };
};

/** What the fields of a sample issue weigh without its description, on the average. */
const WITHOUT_DESCRIPTION = 4300;

/** A believable site, the same for the same options; issues get their content when somebody asks for it. */
export const sampleSite = (options: SampleOptions = {}): Site => {
  const { issues = 100, projects = 3, seed = 1, issueBytes = 4500, now = Date.now } = options;
  const keys =
    typeof projects === 'number'
      ? Array.from({ length: projects }, (_, at) => KEYS[at] ?? `P${at}`)
      : projects;
  const site = new Site({ now, projects: keys });
  for (const [id, name] of SAMPLE_FIELD_NAMES) site.fieldNames.set(id, name);
  const make = content(seed, Math.max(150, issueBytes - WITHOUT_DESCRIPTION));
  const dice = diceOf(seed);
  const end = now();
  const span = 2 * 365 * 86_400_000;
  for (let at = 0; at < issues; at += 1) {
    const created = Math.floor(end - span + (span * at) / issues);
    const updated = dice.below(4) === 0 ? created : created + Math.floor(dice.next() * (end - created));
    site.insert(keys[dice.below(keys.length)]!, make, { created, updated });
  }
  return site;
};
