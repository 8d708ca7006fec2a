import type { Format } from './formats/format.ts';
import type { Stream } from './stream.ts';

/** Columns that records may bring to a stream before those of earlier records are forgotten. */
const MOST_BROUGHT = 10_000;

/**
 * The columns of the objects of each stream: those of its schema at first, then what records have beyond them. Of
 * records that bring ever new ones, only the last one's are kept: the list would grow with the input.
 */
export class Columns {
  readonly #format: Format;
  readonly #known = new Map<string, { readonly schema: string; readonly names: readonly string[] }>();

  constructor(format: Format) {
    this.#format = format;
  }

  /** The columns that this record needs; the same list as before if nothing is new. */
  forRecord(stream: Stream, record: Uint8Array): readonly string[] {
    const known = this.#known.get(stream.name);
    const before = known?.schema === stream.fingerprint ? known.names : stream.properties;
    const needed = (from: readonly string[]): readonly string[] =>
      this.#format.columns?.(record, from) ?? from;
    let names = needed(before);
    if (names !== before && names.length > MOST_BROUGHT) {
      const { properties } = stream;
      if (names.length - properties.length > MOST_BROUGHT) names = needed(properties);
    }
    if (names !== known?.names) this.#known.set(stream.name, { schema: stream.fingerprint, names });
    return names;
  }
}
