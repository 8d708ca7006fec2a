// Makes a configured catalog, which reads the issues incrementally, of what `discover` said: configure.js FROM TO
import { readFileSync, writeFileSync } from 'node:fs';

const [from, to] = process.argv.slice(2);
const { catalog } = readFileSync(from, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .find(({ type }) => type === 'CATALOG');
const stream = catalog.streams.find(({ name }) => name === 'issues');
const configured = { stream, sync_mode: 'incremental', destination_sync_mode: 'append' };
writeFileSync(to, JSON.stringify({ streams: [configured] }));
