import type { Codec, RecordMessage } from '../protocol/message.ts';
import { configError } from '../shared/errors.ts';
import { NONE, problemsOf, reject, unfit, type RejectContext } from './reject.ts';
import type { StepContext } from './steps.ts';
import type { Stream } from './stream.ts';

/** A line of the input. */
export type Line = { readonly bytes: Uint8Array; readonly number: number };

export type MessageContext = StepContext &
  RejectContext & {
    readonly decode: Codec['decode'];
    readonly maxLineBytes: number;
    readonly validate: 'fail' | 'quarantine' | 'off';
    /** Aborted, with the reason, when an object or a commit has failed. */
    readonly failure: AbortSignal;
    /** Called about every second or more often. */
    readonly onTick: () => void;
  };

/** What the input has said so far. */
export type Heard = {
  readonly streams: Map<string, Stream>;
  /** Names of message types that are skipped. */
  readonly unknown: Set<string>;
  /** Streams of which there were rows, or an ACTIVATE_VERSION. */
  readonly full: Set<string>;
  /** Streams with rows that no STATE and no ACTIVATE_VERSION of theirs has followed. */
  readonly unfinished: Set<string>;
  /** Lines that were rejected. */
  rejected: number;
};

/** Takes a row in. If it returns a promise, the next message has to wait for it. */
export function takeRecord(
  message: RecordMessage,
  line: Line,
  heard: Heard,
  context: MessageContext,
): Promise<void> | undefined {
  const { ledger, clock, batches, validate } = context;
  const stream = heard.streams.get(message.stream);
  if (stream === undefined)
    throw configError(
      `stream ${JSON.stringify(message.stream)}: a RECORD came before the stream's SCHEMA; the tap has to send SCHEMA first`,
      { code: 'RECORD_BEFORE_SCHEMA' },
    );
  heard.full.add(stream.name);
  heard.unfinished.add(stream.name);
  const problems = validate === 'off' ? NONE : problemsOf(stream, message.record);
  if (problems.length > 0 && validate === 'fail') throw unfit(stream, problems);
  const room =
    problems.length === 0
      ? batches.add(stream, message, ledger.era)
      : reject({ stream, problems, line, count: ++heard.rejected }, context);
  if (batches.takeRotated()) ledger.closed(true);
  ledger.row(clock.elapsed());
  const limit = batches.limit();
  if (room === undefined && limit === undefined && !batches.short) return undefined;
  return makeRoom(room, limit, context);
}

async function makeRoom(
  room: Promise<void> | undefined,
  limit: 'rows' | 'bytes' | undefined,
  { batches, ledger }: MessageContext,
): Promise<void> {
  await room;
  if (limit !== undefined && (await batches.closeLast(limit))) ledger.closed(true);
  if (batches.short && (await batches.relieve())) ledger.closed(true);
}
