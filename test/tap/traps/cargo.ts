export const DATES = '"created":"2026-11-20T01:02:03.000+0545","updated":"2026-11-20T01:02:04.005+0545"';
/** The same instants, as a record has them at its top. */
export const LIFTED = '"updated":"2026-11-19T19:17:04.005Z","created":"2026-11-19T19:17:03.000Z"';

/** Members of an issue's fields as a Jira may send them: what leaves the tap has to be the same text. */
export const CARGO: readonly [string, string][] = [
  [
    'trap 38: names that JavaScript knows',
    '"toString":"x","__proto__":{"a":1},"constructor":null,"hasOwnProperty":1,"items":[{"toString":"y","fromString":null}]',
  ],
  ['trap 39: null, empty and absent', '"a":null,"b":[],"c":{},"d":"","timetracking":{},"labels":[]'],
  [
    'trap 39: a field whose type changed',
    '"customfield_1":{"value":"was a string once"},"customfield_2":"2"',
  ],
  [
    'trap 42: numbers that a double cannot hold',
    '"a":9223372036854775807,"b":12345678901234567890.10,"c":1.10,"d":-0,"e":1e400,"f":"9223372036854775807"',
  ],
  [
    'trap 43: a document with unknown nodes, deeply nested',
    `"description":{"type":"doc","version":1,"content":[{"type":"novelty"}]},"deep":${'['.repeat(3000)}${']'.repeat(3000)}`,
  ],
  [
    'trap 44: people without address, account or name',
    '"assignee":null,"reporter":{"displayName":"Former user","active":false},"creator":{"accountId":""}',
  ],
  [
    'trap 45: sprints as Java writes them',
    '"customfield_10020":["com.atlassian.greenhopper.service.sprint.Sprint@7eede03a[id=2,state=FUTURE,name=a,b=[c],startDate=<null>]"]',
  ],
  [
    'trap 46: field names with dots, quotes and emoji',
    String.raw`"cf.1":1,"a\"b":2,"\ud83d\ude00":3,"😀 é":4,"":5`,
  ],
  [
    'trap 47: NUL, lone surrogates, line ends and far years',
    String.raw`"a":"\u0000 \ud800 \udfff","b":"line\r\nline","c":"51502-01-01T00:00:00.000+0000","d":"👩‍👩‍👧"`,
  ],
  [
    'trap 49: subtasks, parents and links to other projects',
    '"parent":{"id":"1","key":"ZZZ-1"},"subtasks":[{"key":"QQQ-2"}],"issuelinks":[{"outwardIssue":{"key":"NOPE-9"}}]',
  ],
];
