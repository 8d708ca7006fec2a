import { inspect } from 'node:util';

const known = new Set<string>();

/**
 * A value that must not be seen. Printing, `JSON.stringify`, string building and `util.inspect` show `***`;
 * only `reveal` gives the text. Every secret is remembered so that `redact` can remove it from any text.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    if (value.length >= 4) known.add(value);
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

/** `text` with every known secret, also URL-encoded or JSON-escaped, and every credential header shown as `***`. */
export function redact(text: string): string {
  let clean = text;
  for (const secret of known) {
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
      if (clean.includes(form)) clean = clean.replaceAll(form, '***');
    }
  }
  return clean.replaceAll(/\b(Basic|Bearer) [A-Za-z0-9+/=._~-]{8,}/g, '$1 ***');
}
