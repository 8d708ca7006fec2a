import { Readable } from 'node:stream';
import ndjson from 'ndjson';
import { readText } from '../shared/config-file.ts';
import { configError } from '../shared/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../shared/json/value.ts';

/**
 * Reads a saved state: one JSON document, or the lines that a target printed over one or more runs, of which the
 * last whole one counts (a target that was killed leaves half a line, which the next one goes on from). A line may
 * be a state or a STATE message around it. An empty file is no state. Anything else is a config error.
 */
export async function readStateFile(path: string): Promise<JsonObject> {
  const text = await readText(path, 'state');
  if (text.trim() === '') return {};
  const whole = parse(text);
  if (whole !== undefined) return stateOf(whole, path);
  let last: JsonValue | undefined;
  for await (const value of Readable.from([text]).pipe(ndjson.parse({ strict: false })))
    last = value as JsonValue;
  if (last !== undefined) return stateOf(last, path);
  const broken = text.split('\n').findIndex((line) => line.trim() !== '');
  throw badState(path, `is not valid JSON (line ${broken + 1})`);
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function stateOf(value: JsonValue, path: string): JsonObject {
  if (!isObject(value)) throw badState(path, 'must be a JSON object');
  const inner = value['value'];
  if (value['type'] === 'STATE' && isObject(inner)) return stateOf(inner, path);
  // `meltano state get` wraps a state like this.
  if (isObject(value['singer_state'])) return stateOf(value['singer_state'], path);
  if (Object.keys(value).length > 0 && !isObject(value['bookmarks']))
    throw badState(path, 'has no "bookmarks"');
  return value;
}

function badState(path: string, problem: string): Error {
  return configError(`${path}: the state file ${problem}; correct it, or start without --state`, {
    code: 'BAD_STATE',
  });
}
