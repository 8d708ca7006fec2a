import type { Format } from './format.ts';

const NEWLINE = Buffer.from('\n');

/** One record a line, as the bytes that were received. */
export const jsonl: Format = {
  extension: '.jsonl',
  contentType: 'application/x-ndjson',
  row: (record) => [...record, NEWLINE],
};
