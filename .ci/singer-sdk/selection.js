// Applies catalogs to schemas and records as tap-jira does: a list of cases on stdin, a list of answers on stdout.
import { readSelection, withoutProperties } from '../../dist/src/protocol/catalog.js';
import { pruned } from '../../dist/src/shared/json/prune.js';

let input = '';
for await (const chunk of process.stdin) input += chunk;
const answers = JSON.parse(input).map(({ catalog, schema, record }) => {
  const without = readSelection(catalog, 'catalog').get('s');
  if (without === undefined) return { selected: false };
  const text = Buffer.from(pruned(Buffer.from(JSON.stringify(record)), without)).toString();
  return { selected: true, schema: withoutProperties(schema, without), record: JSON.parse(text) };
});
process.stdout.write(JSON.stringify(answers));
