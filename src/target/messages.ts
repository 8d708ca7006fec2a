import type { Decoded } from '../protocol/message.ts';
import { streamOf } from '../protocol/stream-of.ts';
import { configError, ConnectorError } from '../shared/errors.ts';
import type { LineBlock } from '../shared/lines.ts';
import { advance } from './steps.ts';
import { toStream } from './stream.ts';
import { takeBatch } from './take-batch.ts';
import { takeRecord, type Heard, type Line, type MessageContext } from './take-record.ts';

/** Takes lines in; a line that cannot be used is thrown as a config error naming its number. */
export async function takeLines(
  { first, lines }: LineBlock,
  heard: Heard,
  context: MessageContext,
): Promise<void> {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (isBlank(line)) continue;
    let message: Decoded;
    try {
      message = context.decode(line);
      const room = take(message, { bytes: line, number: first + i }, heard, context);
      if (room !== undefined) await room;
    } catch (error) {
      const stream = message !== undefined && 'stream' in message ? message.stream : streamOf(line);
      throw atLine(error, first + i, stream);
    }
    if (context.failure.aborted) return;
    // What follows, such as a STATE, would speak of rows that were left unread.
    if (message?.type === 'batch' && context.stop.aborted) return;
  }
}

/** If it returns a promise, the next message has to wait for it. */
function take(
  message: Decoded,
  line: Line,
  heard: Heard,
  context: MessageContext,
): Promise<void> | undefined {
  const { ledger, batches, clock, log } = context;
  const { streams, unknown } = heard;
  if (message === undefined) return undefined;
  switch (message.type) {
    case 'record':
      return takeRecord(message, line, heard, context);
    case 'state':
      heard.unfinished.clear();
      ledger.state(Buffer.from(message.state), clock.elapsed());
      return advance(context);
    case 'schema': {
      const stream = toStream(message);
      const before = streams.get(stream.name);
      streams.set(stream.name, stream);
      if (before === undefined || before.fingerprint === stream.fingerprint) return undefined;
      return batches.close(stream.name, 'schema change').then((closed) => {
        if (closed) ledger.closed(false);
      });
    }
    case 'activate_version':
      heard.full.add(message.stream);
      heard.unfinished.delete(message.stream);
      return undefined; // rows are appended; see load_method
    case 'batch':
      return takeBatch(message, line, heard, context);
    case 'unknown':
      if (!unknown.has(message.name)) log.warning(`messages of type ${message.name} are skipped`);
      unknown.add(message.name);
      return undefined;
    default:
      return message satisfies never;
  }
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

function atLine(error: unknown, line: number, stream: string | undefined): unknown {
  if (!(error instanceof ConnectorError) || error.kind !== 'config' || error.code === undefined) return error;
  const { message, code, cause } = error;
  const of = ofStream(stream);
  return configError(`line ${line}: ${message.includes(of) ? '' : of}${message}`, { code, cause });
}

/** What errors begin with that concern a stream, if it is known. */
export function ofStream(stream: string | undefined): string {
  return stream === undefined ? '' : `stream ${JSON.stringify(stream)}: `;
}
