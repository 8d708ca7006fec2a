import type { ConnectorError } from '../shared/errors.ts';
import { scannedText, scanObject, skipValue, textEquals } from '../shared/json/scan.ts';
import { errorTrace, streamStatus } from './airbyte.ts';
import type { Message } from './message.ts';

/** A stream of a configured catalog. A full refresh begins anew in every run. */
export type SourceStream = { readonly name: string; readonly fullRefresh: boolean };

/**
 * Marks the state of a full refresh that has not come to its end: only such a state may be resumed by a full
 * refresh. It is the first member of the stream's state.
 */
export const UNFINISHED = 'full_refresh_under_way';

type Line = {
  readonly name: string;
  readonly fullRefresh: boolean;
  /** A RECORD line up to its data. */
  readonly recordStart: Uint8Array;
  /** Records since the last STATE of this stream. */
  uncovered: number;
  /** False before the first record, and while the stream waits for a limit. */
  running: boolean;
  /** The stream's part of the last state. */
  state: Buffer | undefined;
};

const MESSAGE_END = Buffer.from('}}\n');
const SAME_PAUSE_MS = 1000;

/**
 * The lines of one Airbyte `read`. Records are written around their bytes, which are not opened. A state of all
 * streams becomes a STATE for each stream whose part has changed, so that it covers what the state covered: every
 * record of that stream before it. `sourceStats` counts those since the stream's STATE before.
 */
export class SourceLines {
  readonly #streams: ReadonlyMap<string, Line>;
  readonly #now: () => number;
  #extracted: string | undefined;
  #waitingUntil = -Infinity;
  #recordEnd: Uint8Array = MESSAGE_END;

  constructor(streams: readonly SourceStream[], now: () => number) {
    this.#now = now;
    this.#streams = new Map(
      streams.map(({ name, fullRefresh }) => {
        const recordStart = Buffer.from(
          `{"type":"RECORD","record":{"stream":${JSON.stringify(name)},"data":`,
        );
        return [name, { name, fullRefresh, recordStart, uncovered: 0, running: false, state: undefined }];
      }),
    );
  }

  /** To be said before anything else. */
  started(): Uint8Array[] {
    return this.#all((stream) => [streamStatus(stream.name, 'STARTED', this.#now())]);
  }

  /** The lines of a message, in pieces to be written one after the other; none for what Airbyte has no word for. */
  encode(message: Message): readonly Uint8Array[] {
    switch (message.type) {
      case 'record': {
        const stream = this.#streams.get(message.stream)!;
        stream.uncovered++;
        const record = [stream.recordStart, message.record, this.#endOfRecord(message.timeExtracted)];
        if (stream.running) return record;
        stream.running = true;
        return [streamStatus(stream.name, 'RUNNING', this.#now()), ...record];
      }
      case 'state':
        return this.#changedStates(message.state);
      case 'schema':
      case 'activate_version':
        return [];
      default:
        return message satisfies never;
    }
  }

  /** All streams wait for a limit until the given time (ms). */
  waiting(until: number): Uint8Array[] {
    // Requests that were under way together are each told to wait.
    if (until < this.#waitingUntil + SAME_PAUSE_MS) return [];
    this.#waitingUntil = until;
    return this.#all((stream) => {
      stream.running = false;
      return [streamStatus(stream.name, 'RUNNING', this.#now(), until)];
    });
  }

  /**
   * To be said at the end, in place of further records: how each stream ended. `finished` is false when the run
   * ended before all streams were read, `failed` has those that were not read completely.
   */
  ended(finished: boolean, failed: ReadonlyMap<string, ConnectorError>): Uint8Array[] {
    return this.#all((stream) => {
      const error = failed.get(stream.name);
      const complete = finished && error === undefined;
      return [
        ...(complete ? this.#lastState(stream) : []),
        ...(error === undefined ? [] : [errorTrace(error, this.#now(), stream.name)]),
        streamStatus(stream.name, complete ? 'COMPLETE' : 'INCOMPLETE', this.#now()),
      ];
    });
  }

  #all(lines: (stream: Line) => Uint8Array[]): Uint8Array[] {
    return [...this.#streams.values()].flatMap(lines);
  }

  /** The records of a page have one time, so that its text is rarely made. */
  #endOfRecord(extracted: string | undefined): Uint8Array {
    if (extracted === undefined || extracted !== this.#extracted) {
      this.#extracted = extracted;
      const time = extracted === undefined ? this.#now() : Date.parse(extracted);
      this.#recordEnd = Buffer.from(`,"emitted_at":${Math.floor(time)}}}\n`);
    }
    return this.#recordEnd;
  }

  #changedStates(state: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = [];
    const ofStream = (nameStart: number, nameEnd: number, start: number): number => {
      const end = skipValue(state, start, state.length);
      const stream = this.#streams.get(scannedText(state, nameStart, nameEnd));
      const part = state.subarray(start, end);
      if (stream !== undefined && stream.state?.equals(part) !== true) {
        stream.state = Buffer.from(part);
        lines.push(...stateLine(stream, stream.fullRefresh));
      }
      return end;
    };
    scanObject(state, 0, state.length, (nameStart, nameEnd, start) =>
      textEquals(state, nameStart, nameEnd, 'bookmarks')
        ? scanObject(state, start, state.length, ofStream)
        : -1,
    );
    return lines;
  }

  /** Of a full refresh: that it has come to its end. Of the others: what covers records that changed no state. */
  #lastState(stream: Line): Uint8Array[] {
    return stream.fullRefresh || stream.uncovered > 0 ? stateLine(stream, false) : [];
  }
}

function stateLine(stream: Line, unfinished: boolean): Uint8Array[] {
  if (stream.state === undefined) return [];
  const count = stream.uncovered;
  stream.uncovered = 0;
  const descriptor = JSON.stringify({ name: stream.name });
  const mark = unfinished ? `"${UNFINISHED}":true${stream.state.length > 2 ? ',' : ''}` : '';
  return [
    Buffer.from(
      `{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":${descriptor},"stream_state":{${mark}`,
    ),
    stream.state.subarray(1),
    // Airbyte reads the count as a floating-point number, and wants it written as one.
    Buffer.from(`},"sourceStats":{"recordCount":${count}.0}}}\n`),
  ];
}
