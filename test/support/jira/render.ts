import { dataOf } from './model.ts';
import type { Comment, History, HistoryItem, Issue, IssueData, Person, View, Worklog } from './model.ts';
import type { Selection } from './selection.ts';
import type { Site } from './site.ts';
import { formatInstant } from './time-zone.ts';
import { wiki, writeName, writeValue } from './values.ts';

const avatars = (base: string, name: string): object =>
  Object.fromEntries(['48x48'].map((size) => [size, `${base}/secure/useravatar?size=${size}&id=${name}`]));

/** A user's JSON in the flavour's shape. */
export const writePerson = (person: Person, view: View): string => {
  const { name, key, accountId, displayName, active, timeZone, email } = person;
  const { base } = view;
  const self = `${base}/rest/api/${view.api}/user?`;
  const avatarUrls = avatars(base, key);
  return JSON.stringify(
    view.flavour === 'datacenter'
      ? {
          self: `${self}username=${encodeURIComponent(name)}`,
          name,
          key,
          emailAddress: email,
          avatarUrls,
          displayName,
          active,
          timeZone,
        }
      : {
          self: `${self}accountId=${encodeURIComponent(accountId)}`,
          accountId,
          emailAddress: email,
          avatarUrls,
          displayName,
          active,
          timeZone,
          accountType: name === 'robot' ? 'app' : 'atlassian',
        },
  );
};

const when = (ms: number, view: View): string => `"${formatInstant(ms, view.zone)}"`;

const people = (author: string | undefined, view: View): string =>
  author === undefined ? '' : `"author":${view.person(author)},"updateAuthor":${view.person(author)},`;

/** Whether the view's reader may see a comment. */
export const canRead = (comment: Comment, view: View): boolean =>
  comment.visibleTo?.includes(view.reader) ?? true;

/** A comment's JSON. */
export const writeComment = (issue: Issue, comment: Comment, view: View): string => {
  const self = `${view.base}/rest/api/${view.api}/issue/${issue.id}/comment/${comment.id}`;
  const body = writeValue(wiki(comment.body), view);
  const visibility =
    comment.visibleTo === undefined ? '' : ',"visibility":{"type":"role","value":"Administrators"}';
  const dates = `"created":${when(comment.created, view)},"updated":${when(comment.updated, view)}`;
  const text = `{"self":${JSON.stringify(self)},"id":"${comment.id}",`;
  return `${text}${people(comment.author, view)}"body":${body},${dates}${visibility}}`;
};

const spent = (seconds: number): string => `${Math.floor(seconds / 3600)}h ${Math.floor(seconds / 60) % 60}m`;

/** A work log entry's JSON. */
export const writeWorklog = (issue: Issue, worklog: Worklog, view: View): string => {
  const self = `${view.base}/rest/api/${view.api}/issue/${issue.id}/worklog/${worklog.id}`;
  const comment = writeValue(wiki(worklog.comment), view);
  const dates = `"created":${when(worklog.created, view)},"updated":${when(worklog.updated, view)},"started":${when(worklog.started, view)}`;
  const time = `"timeSpent":"${spent(worklog.seconds)}","timeSpentSeconds":${worklog.seconds}`;
  const text = `{"self":${JSON.stringify(self)},${people(worklog.author, view)}"comment":${comment},`;
  return `${text}${dates},${time},"id":"${worklog.id}","issueId":"${issue.id}"}`;
};

const writeItems = (items: readonly HistoryItem[], view: View): string => {
  const known = view.memo.get(items);
  if (known !== undefined) return known;
  const text = JSON.stringify(
    items.map(({ field, from, fromText, to, toText }) => {
      const fieldtype = field.startsWith('customfield_') ? 'custom' : 'jira';
      const fieldId = view.flavour === 'cloud' ? { fieldId: field } : {};
      return { field, fieldtype, ...fieldId, from, fromString: fromText, to, toString: toText };
    }),
  );
  view.memo.set(items, text);
  return text;
};

/** A history entry's JSON, with `created` as text or, as the vendor's example has it, as a number. */
export const writeHistory = (history: History, view: View, numeric = false): string => {
  const author = history.author === undefined ? '' : `"author":${view.person(history.author)},`;
  const created = numeric ? String(history.created) : when(history.created, view);
  return `{"id":"${history.id}",${author}"created":${created},"items":${writeItems(history.items, view)}}`;
};

const writeProject = (issue: Issue, view: View, site: Site): string => {
  const project = site.projects.get(issue.projectKey);
  if (project === undefined) return 'null';
  let text = view.memo.get(project);
  if (text === undefined) {
    const { id, key, name } = project;
    const self = `${view.base}/rest/api/${view.api}/project/${id}`;
    const urls = avatars(view.base, `project-${id}`);
    text = JSON.stringify({
      self,
      id,
      key,
      name,
      projectTypeKey: 'software',
      simplified: false,
      avatarUrls: urls,
    });
    view.memo.set(project, text);
  }
  return text;
};

const writeComments = (issue: Issue, { comments }: IssueData, view: View): string => {
  const all = comments.filter((comment) => canRead(comment, view));
  const max = view.flavour === 'cloud' ? Math.min(view.caps.comments, all.length) : all.length;
  const shown = all.slice(0, max).map((comment) => writeComment(issue, comment, view));
  return `{"comments":[${shown.join(',')}],"maxResults":${max},"total":${all.length},"startAt":0}`;
};

const writeWorklogs = (issue: Issue, { worklogs: all }: IssueData, view: View): string => {
  const max = view.caps.worklogs;
  const shown = all.slice(0, max).map((worklog) => writeWorklog(issue, worklog, view));
  return `{"startAt":0,"maxResults":${max},"total":${all.length},"worklogs":[${shown.join(',')}]}`;
};

/** The changelog that `expand` puts beside the fields: whole on Data Center, the newest first on Cloud. */
const writeChangelog = ({ histories: all }: IssueData, view: View): string => {
  const cloud = view.flavour === 'cloud';
  const max = cloud ? Math.min(view.caps.histories, all.length) : all.length;
  const shown = cloud ? all.slice(all.length - max).toReversed() : all;
  const histories = shown.map((history) => writeHistory(history, view)).join(',');
  return `{"startAt":0,"maxResults":${max},"total":${all.length},"histories":[${histories}]}`;
};

const writeFields = (issue: Issue, data: IssueData, view: View, selection: Selection, site: Site): string => {
  const { fields } = data;
  const parts: string[] = [];
  if (selection.wants('created')) parts.push(`"created":${when(issue.created, view)}`);
  if (selection.wants('project')) parts.push(`"project":${writeProject(issue, view, site)}`);
  for (const name of Object.keys(fields))
    if (fields[name] !== undefined && selection.wants(name))
      parts.push(writeName(name) + writeValue(fields[name], view));
  if (selection.wants('updated')) parts.push(`"updated":${when(issue.updated, view)}`);
  if (selection.wants('worklog')) parts.push(`"worklog":${writeWorklogs(issue, data, view)}`);
  if (selection.wants('comment')) parts.push(`"comment":${writeComments(issue, data, view)}`);
  return parts.join(',');
};

const writeRaw = (raw: Buffer, selection: Selection): string | Buffer => {
  if (selection.all) return raw;
  const parsed = JSON.parse(raw.toString()) as { fields?: object };
  const wanted = Object.entries(parsed.fields ?? {}).filter(([name]) => selection.wants(name));
  return JSON.stringify({ ...parsed, fields: Object.fromEntries(wanted) });
};

const NO_DATA: IssueData = { fields: {}, comments: [], worklogs: [], histories: [] };

const EXPAND = 'operations,versionedRepresentations,editmeta,changelog,renderedFields';

/** An issue's JSON as the selection asks for it. */
export const writeIssue = (
  issue: Issue,
  view: View,
  selection: Selection,
  changelog: boolean,
  site: Site,
): string | Buffer => {
  if (selection.idOnly) return `{"id":"${issue.id}"}`;
  if (issue.raw !== undefined) return writeRaw(issue.raw, selection);
  // Made once for all parts, and not at all for a census.
  const data = selection.light && !changelog ? NO_DATA : dataOf(issue);
  const self = `${view.base}/rest/api/${view.api}/issue/${issue.id}`;
  const head = `{"expand":"${EXPAND}","id":"${issue.id}","self":"${self}","key":"${issue.key}"`;
  const fields = selection.keyOnly ? '' : `,"fields":{${writeFields(issue, data, view, selection, site)}}`;
  return `${head}${fields}${changelog ? `,"changelog":${writeChangelog(data, view)}` : ''}}`;
};
