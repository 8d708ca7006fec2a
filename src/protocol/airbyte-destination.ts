import { configError } from '../shared/errors.ts';
import { isObject, stringOf, type JsonValue } from '../shared/json/value.ts';
import { membersAt, membersOfLine, textOf, valueOf, type Members } from './members.ts';
import type { Decoded, RecordMessage } from './message.ts';
import { StateEchoes } from './state-echoes.ts';

/** A stream of a configured catalog, and the one name that the rest of the program knows it by. */
export type DestinationStream = {
  readonly id: string;
  readonly name: string;
  /** Empty if it has none. */
  readonly namespace: string;
};

const LINE = ['type', 'record', 'state', 'trace'] as const;
const RECORD = ['stream', 'namespace', 'data', 'emitted_at', 'meta'] as const;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;

/** Types of messages that a destination may be sent and has nothing to do with. */
const NOT_FOR_US = new Set(['LOG', 'CONTROL', 'SPEC', 'CONNECTION_STATUS', 'CATALOG', 'DESTINATION_CATALOG']);

/**
 * The lines of one Airbyte `write`. A record's data is not opened. States become one state of the run, see
 * `StateEchoes`; what the lines say of the ends of streams is in `incomplete`. Optional members may be null.
 */
export class DestinationLines {
  readonly states = new StateEchoes((name, namespace) => this.#idOf(name, namespace));
  readonly #ids = new Map<string, Map<string, string>>();
  readonly #incomplete: Set<string>;
  readonly #lastTime = { at: Number.NaN, text: '' };

  constructor(streams: readonly DestinationStream[]) {
    this.#incomplete = new Set(streams.map(({ id }) => id));
    for (const { id, name, namespace } of streams) {
      const names = this.#ids.get(namespace) ?? new Map<string, string>();
      this.#ids.set(namespace, names.set(name, id));
    }
  }

  /** The streams that no line has called COMPLETE so far, and those that one has called INCOMPLETE since. */
  get incomplete(): ReadonlySet<string> {
    return this.#incomplete;
  }

  /** As `Codec.decode`. */
  decode(bytes: Uint8Array): Decoded {
    let record: Members<(typeof RECORD)[number]> | undefined;
    const found = membersOfLine(bytes, LINE, badLine, (member, start) => {
      if (member !== 'record' || bytes[start] !== OPEN_OBJECT) return -1;
      const inner = membersAt(bytes, start, RECORD);
      record = inner.found;
      return inner.end;
    });
    const type = textOf(bytes, found, 'type');
    switch (type) {
      case undefined:
        throw badLine('it has no "type"');
      case 'RECORD':
        if (record === undefined) throw badLine('RECORD has no object "record"');
        return this.#record(bytes, record);
      case 'STATE': {
        const { start, end } = found.get('state') ?? { start: -1, end: -1 };
        if (bytes[start] !== OPEN_OBJECT) throw badLine('STATE has no object "state"');
        return { type: 'state', state: this.states.take(bytes.subarray(start, end)) };
      }
      case 'TRACE':
        this.#trace(valueOf(bytes, found, 'trace'));
        return undefined;
      default:
        return NOT_FOR_US.has(type) ? undefined : { type: 'unknown', name: type };
    }
  }

  #record(bytes: Uint8Array, found: Members<(typeof RECORD)[number]>): RecordMessage {
    const name = textOf(bytes, found, 'stream');
    if (name === undefined) throw badLine('RECORD has no string "stream"');
    const data = found.get('data');
    if (data === undefined || bytes[data.start] !== OPEN_OBJECT) throw badLine('RECORD has no object "data"');
    const namespace = textOf(bytes, found, 'namespace') ?? '';
    const stream = this.#idOf(name, namespace);
    if (stream === undefined)
      throw configError(
        `the stream ${JSON.stringify(name)}${namespace === '' ? '' : ` of namespace ${JSON.stringify(namespace)}`} is not in the configured catalog; the source may send only streams that are`,
        { code: 'UNKNOWN_STREAM' },
      );
    this.states.count(stream);
    const timeExtracted = this.#time(valueOf(bytes, found, 'emitted_at'));
    const changes = changesIn(bytes, found);
    return {
      type: 'record',
      stream,
      record: bytes.subarray(data.start, data.end),
      ...(timeExtracted === undefined ? {} : { timeExtracted }),
      ...(changes === undefined ? {} : { changes }),
    };
  }

  /** Records of one moment come in thousands. */
  #time(at: JsonValue | undefined): string | undefined {
    if (typeof at !== 'number' || !(Math.abs(at) <= 8.64e15)) return undefined;
    if (at !== this.#lastTime.at) Object.assign(this.#lastTime, { at, text: new Date(at).toISOString() });
    return this.#lastTime.text;
  }

  #trace(trace: JsonValue | undefined): void {
    const told = isObject(trace) && trace['type'] === 'STREAM_STATUS' ? trace['stream_status'] : undefined;
    const descriptor = isObject(told) ? told['stream_descriptor'] : undefined;
    if (!isObject(told) || !isObject(descriptor)) return;
    const { name, namespace } = descriptor as Readonly<Record<string, JsonValue | undefined>>;
    const id = this.#idOf(stringOf(name), stringOf(namespace));
    if (id === undefined) return;
    if (told['status'] === 'COMPLETE') this.#incomplete.delete(id);
    if (told['status'] === 'INCOMPLETE') this.#incomplete.add(id);
  }

  #idOf(name: string, namespace: string): string | undefined {
    return this.#ids.get(namespace)?.get(name);
  }
}

/** The list of what was changed in a record before it came here, if there is one. */
function changesIn(bytes: Uint8Array, record: Members<(typeof RECORD)[number]>): Uint8Array | undefined {
  const meta = record.get('meta');
  if (meta === undefined || bytes[meta.start] !== OPEN_OBJECT) return undefined;
  const changes = membersAt(bytes, meta.start, ['changes']).found.get('changes');
  return changes !== undefined && bytes[changes.start] === OPEN_ARRAY
    ? bytes.subarray(changes.start, changes.end)
    : undefined;
}

function badLine(problem: string): Error {
  return configError(
    `not an Airbyte message: ${problem}; check that the source writes only messages to stdout`,
    { code: 'BAD_MESSAGE' },
  );
}
