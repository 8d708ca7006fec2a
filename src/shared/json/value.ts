/** What `JSON.parse` can return. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/** True for `{...}`, false for arrays, null and the rest. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses bytes that are known to be JSON text. Throws `SyntaxError` as `JSON.parse` does. */
export function parseBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): JsonValue {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  return JSON.parse(view.toString('utf8')) as JsonValue;
}

/** A string as it is; anything else is no text, and the empty one. */
export function stringOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
