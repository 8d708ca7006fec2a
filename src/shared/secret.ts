import { inspect } from 'node:util';

/** Every form in which a known secret may turn up in a text, the longest first, since one may contain another. */
let known: readonly string[] = [];

const SHORTEST = 4;
const SHORTEST_LINE = 16;

/**
 * A value that must not be seen. Printing, `JSON.stringify`, string building and `util.inspect` show `***`;
 * only `reveal` gives the text. Every secret is remembered so that `redact` can remove it from any text.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    remember(value);
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** Keeps a text out of everything that is printed, as if it were a `Secret`. */
export function remember(value: string): void {
  // The lines of a key are as secret as the whole, and a log may join them in its own way.
  const lines = value.includes('\n') ? value.split('\n').map((line) => line.trim()) : [];
  const texts = [value, ...lines.filter((line) => line.length >= SHORTEST_LINE && !line.startsWith('-----'))];
  const forms = texts.filter((text) => text.length >= SHORTEST).flatMap(formsOf);
  if (forms.every((form) => known.includes(form))) return;
  known = [...new Set([...known, ...forms])].toSorted((a, b) => b.length - a.length);
}

/** As it is, in an address, in a form, in JSON. */
function formsOf(text: string): string[] {
  const encoded = encodeURIComponent(Buffer.from(text).toString());
  return [text, encoded, encoded.replaceAll('%20', '+'), JSON.stringify(text).slice(1, -1)];
}

/** `text` with every known secret, also URL-encoded or JSON-escaped, and every credential header shown as `***`. */
export function redact(text: string): string {
  let clean = text;
  for (const form of known) if (clean.includes(form)) clean = clean.replaceAll(form, '***');
  return clean.replaceAll(/\b(Basic|Bearer) [A-Za-z0-9+/=._~-]{8,}/g, '$1 ***');
}
