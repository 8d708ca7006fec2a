import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import type { BatchMessage } from '../protocol/message.ts';
import { configError, ConnectorError, messageOf } from '../shared/errors.ts';
import { expectEnd, JsonSyntaxError, skipSpace, skipValue } from '../shared/json/scan.ts';
import { readLines } from '../shared/lines.ts';
import { takeRecord, type Heard, type Line, type MessageContext } from './take-record.ts';

/** Takes in the rows of a BATCH message, whose files must be on this machine; a part of them when the run is stopped. */
export async function takeBatch(
  { stream, format, compression = 'none', manifest, version }: BatchMessage,
  line: Line,
  heard: Heard,
  context: MessageContext,
): Promise<void> {
  if (format !== 'jsonl' || !['gzip', 'none'].includes(compression))
    throw bad(
      `a BATCH of format ${format} and compression ${compression} cannot be read; set the tap's batch_config to jsonl with gzip or none`,
    );
  for (const url of manifest) {
    const rows = readLines(fileRows(pathOf(url), compression === 'gzip'), context.maxLineBytes);
    let at = 0;
    try {
      for await (const { first, lines } of rows) {
        if (context.stop.aborted) return;
        context.onTick();
        for (const [i, row] of lines.entries()) {
          at = first + i;
          const record = objectIn(row);
          if (record === undefined) continue;
          const message = {
            type: 'record',
            stream,
            record,
            ...(version === undefined ? {} : { version }),
          } as const;
          await takeRecord(message, { bytes: record, number: line.number }, heard, context);
          if (context.failure.aborted) return;
        }
      }
    } catch (cause) {
      if (cause instanceof ConnectorError && cause.kind !== 'config') throw cause;
      const code = cause instanceof ConnectorError ? cause.code : undefined;
      const advice = code === undefined ? '; the file must be whole and readable on this machine' : '';
      throw configError(`${url}, line ${at}: ${messageOf(cause)}${advice}`, {
        code: code ?? 'BAD_BATCH',
        cause,
      });
    }
  }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw bad(
      `the BATCH file ${url} is not on this machine; let the tap write its batches to a local folder`,
    );
  }
}

function fileRows(path: string, zipped: boolean): AsyncIterable<Uint8Array> {
  const file = createReadStream(path);
  if (!zipped) return file;
  const plain = createGunzip();
  file.once('error', (error) => plain.destroy(error));
  return file.pipe(plain);
}

/** The JSON object of a line; undefined for a blank one. */
function objectIn(line: Uint8Array): Uint8Array | undefined {
  const start = skipSpace(line, 0, line.length);
  if (start === line.length) return undefined;
  try {
    if (!isUtf8(line)) throw bad('it is not valid UTF-8; correct the tap');
    const end = skipValue(line, start, line.length);
    expectEnd(line, end, line.length);
    if (line[start] !== 0x7b) throw bad('it must be a JSON object; correct the tap');
    return line.subarray(start, end);
  } catch (cause) {
    if (cause instanceof JsonSyntaxError) throw bad(`it is not JSON: ${cause.message}; correct the tap`);
    throw cause;
  }
}

function bad(message: string): Error {
  return configError(message, { code: 'BAD_BATCH' });
}
