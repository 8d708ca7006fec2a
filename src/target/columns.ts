import { isObject } from '../shared/json/value.ts';
import type { Format } from './formats/format.ts';
import type { Stream } from './stream.ts';

/** The columns of the objects of each stream: those of its schema at first, then what records have beyond them. */
export class Columns {
  readonly #format: Format;
  readonly #known = new Map<string, { readonly schema: string; readonly names: readonly string[] }>();

  constructor(format: Format) {
    this.#format = format;
  }

  /** The columns that this record needs; the same list as before if nothing is new. */
  forRecord(stream: Stream, record: Uint8Array): readonly string[] {
    const known = this.#known.get(stream.name);
    const before = known?.schema === stream.fingerprint ? known.names : columnsOf(stream);
    const names = this.#format.columns?.(record, before) ?? before;
    if (names !== known?.names) this.#known.set(stream.name, { schema: stream.fingerprint, names });
    return names;
  }
}

function columnsOf({ schema }: Stream): readonly string[] {
  const properties = schema['properties'];
  return isObject(properties) ? Object.keys(properties) : [];
}
