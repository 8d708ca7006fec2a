import { isObject, stringOf, type JsonValue } from '../shared/json/value.ts';
import { scanArray, scanObject, skipValue, textEquals } from '../shared/json/scan.ts';
import { membersAt, textOf, valueOf } from './members.ts';

type Waiting = { readonly number: number; readonly body: Buffer; readonly stats: string };
type Count = { records: number; rejected: number };

const MEMBERS = ['type', 'stream'] as const;
const START = Buffer.from('{"type":"STATE","state":{');
const COMMA = Buffer.from(',');
const NULL = Buffer.from('null');
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;

/**
 * The states of one `write`, each of which has to be said back, in order and unchanged but for optional members that
 * are null, which are left out. To the rest of the program they are one state that grows,
 * `{"number":3,"airbyte_states":[...]}`: how many there were, and the newest of each stream. When that is safe, so
 * are the first three.
 */
export class StateEchoes {
  readonly #idOf: (name: string, namespace: string) => string | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #newest = new Map<string, Uint8Array>();
  readonly #counts = new Map<string, Count>();
  #number = 0;

  constructor(idOf: (name: string, namespace: string) => string | undefined) {
    this.#idOf = idOf;
  }

  /** There was a record of this stream. */
  count(stream: string): void {
    this.#countOf(stream).records++;
  }

  /** The last record of this stream was put aside. */
  reject(stream: string): void {
    const count = this.#countOf(stream);
    count.records--;
    count.rejected++;
  }

  /** There was a state, the object of a STATE message. The answer is the state of the run. */
  take(state: Uint8Array): Uint8Array {
    const body = Buffer.from(state);
    const { found } = membersAt(body, 0, MEMBERS);
    const type = textOf(body, found, 'type') ?? 'LEGACY';
    const one = type === 'STREAM' ? this.#streamOf(valueOf(body, found, 'stream')) : undefined;
    // A state that is not of one stream covers the records of all of them.
    const stats = this.#stats(one === undefined ? [...this.#counts.keys()] : one.ids);
    this.#waiting.push({ number: ++this.#number, body, stats });
    this.#newest.set(one?.key ?? type, body);
    const states = [...this.#newest.values()].flatMap((one, i) => (i === 0 ? [one] : [COMMA, one]));
    return Buffer.concat([
      Buffer.from(`{"number":${this.#number},"airbyte_states":[`),
      ...states,
      Buffer.from(']}'),
    ]);
  }

  /** The lines that say back every state that a state of the run covers. */
  echo(state: Uint8Array): Uint8Array[] {
    const number = valueOf(state, membersAt(state, 0, ['number']).found, 'number') as number;
    const covered = this.#waiting.findIndex((waiting) => waiting.number > number);
    return this.#waiting.splice(0, covered < 0 ? this.#waiting.length : covered).map(echoLine);
  }

  #stats(ids: readonly string[]): string {
    const counts = ids.map((id) => this.#countOf(id));
    for (const id of ids) this.#counts.delete(id);
    const records = counts.reduce((sum, count) => sum + count.records, 0);
    const rejected = counts.reduce((sum, count) => sum + count.rejected, 0);
    // Airbyte reads counts as floating-point numbers, and wants them written as such.
    return `"recordCount":${records}.0${rejected === 0 ? '' : `,"rejectedRecordCount":${rejected}.0`}`;
  }

  #streamOf(stream: JsonValue | undefined): { readonly key: string; readonly ids: readonly string[] } {
    const descriptor = isObject(stream) ? stream['stream_descriptor'] : undefined;
    const { name, namespace } = (isObject(descriptor) ? descriptor : {}) as Readonly<
      Record<'name' | 'namespace', JsonValue | undefined>
    >;
    const names = [stringOf(name), stringOf(namespace)] as const;
    const id = this.#idOf(...names);
    return { key: JSON.stringify(names), ids: id === undefined ? [] : [id] };
  }

  #countOf(stream: string): Count {
    let count = this.#counts.get(stream);
    if (count === undefined) this.#counts.set(stream, (count = { records: 0, rejected: 0 }));
    return count;
  }
}

/** The members as they were, but for the count of an earlier destination, and the own count after them. */
function echoLine({ body, stats }: Waiting): Uint8Array {
  const members = membersOf(body, 'destinationStats').flatMap((member) => [...member, COMMA]);
  return Buffer.concat([START, ...members, Buffer.from(`"destinationStats":{${stats}}}}\n`)]);
}

/** What a source keeps in a state is not looked into. */
const CARGO = ['stream_state', 'shared_state', 'data'];

/**
 * The members of an object, in pieces, without those that are null: a host may write null for what is not there, and
 * the protocol allows none.
 */
function membersOf(object: Buffer, but = ''): Uint8Array[][] {
  const members: Uint8Array[][] = [];
  scanObject(object, 0, object.length, (nameStart, nameEnd, start) => {
    const end = skipValue(object, start, object.length);
    const value = object.subarray(start, end);
    if (value[0] === NULL[0] || textEquals(object, nameStart, nameEnd, but)) return end;
    const isCargo = CARGO.some((name) => textEquals(object, nameStart, nameEnd, name));
    members.push([object.subarray(nameStart - 1, start), isCargo ? value : withoutNulls(value)]);
    return end;
  });
  return members;
}

/** The bytes as they are, if no member in them is null. */
function withoutNulls(value: Buffer): Buffer {
  if (!value.includes(NULL)) return value;
  if (value[0] === OPEN_OBJECT) return joined('{', membersOf(value), '}');
  if (value[0] !== OPEN_ARRAY) return value;
  const elements: Uint8Array[][] = [];
  scanArray(value, 0, value.length, (start) => {
    const end = skipValue(value, start, value.length);
    elements.push([withoutNulls(value.subarray(start, end))]);
    return end;
  });
  return joined('[', elements, ']');
}

function joined(open: string, items: readonly Uint8Array[][], close: string): Buffer {
  const pieces = items.flatMap((item, i) => (i === 0 ? item : [COMMA, ...item]));
  return Buffer.concat([Buffer.from(open), ...pieces, Buffer.from(close)]);
}
