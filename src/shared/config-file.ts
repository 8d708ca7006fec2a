import { readFile } from 'node:fs/promises';
import { configError } from './errors.ts';
import { isObject, type JsonObject, type JsonValue } from './json/value.ts';

/** Reads a file that has to hold one JSON object. `what` names its role in the error. */
export async function readJsonObject(path: string, what: string): Promise<JsonObject> {
  const text = await readText(path, what);
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw configError(`${path}: the ${what} file is not valid JSON: ${place(text, cause)}`, {
      code: 'BAD_FILE',
      cause,
    });
  }
  if (!isObject(value))
    throw configError(`${path}: the ${what} file must hold one JSON object`, { code: 'BAD_FILE' });
  return value;
}

/** Reads a text file; a missing or unreadable one is a config error that names it. */
export async function readText(path: string, what: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    const advice =
      reason === 'ENOENT'
        ? `no such file; check the path${what === 'state' ? ', or leave out --state on the first run' : ''}`
        : `cannot be read (${reason}); check its permissions`;
    throw configError(`${path}: the ${what} file: ${advice}`, { code: 'BAD_FILE', cause });
  }
}

/** Where a syntax error is, without quoting the text, which may hold a secret. */
function place(text: string, cause: unknown): string {
  const offset = /position (\d+)/.exec(cause instanceof Error ? cause.message : '')?.[1];
  if (offset === undefined) return text.trim() === '' ? 'it is empty' : 'it ends too early or is malformed';
  const before = text.slice(0, Number(offset)).split('\n');
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}
