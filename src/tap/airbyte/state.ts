import { z } from 'zod';
import { readText } from '../../shared/config-file.ts';
import { configError } from '../../shared/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../../shared/json/value.ts';
import { UNFINISHED, type SourceStream } from '../../protocol/airbyte-source.ts';

const StreamState = z.looseObject({
  stream_descriptor: z.looseObject({ name: z.string() }),
  stream_state: z.json().optional(),
});
const StateMessage = z.looseObject({
  type: z.enum(['STREAM', 'GLOBAL', 'LEGACY']).nullish(),
  stream: StreamState.nullish(),
  global: z.looseObject({ stream_states: z.array(StreamState).nullish() }).nullish(),
  data: z.json().optional(),
});

/**
 * Reads the file of `read --state` as a state of all streams: a list of AirbyteStateMessages (a STREAM for each
 * stream, or one GLOBAL), or the older form, one object. Of several states of a stream the last one counts; an
 * empty file, list or object is no state. Anything else is a config error.
 */
export async function readAirbyteState(path: string): Promise<JsonObject> {
  const text = await readText(path, 'state');
  if (text.trim() === '') return {};
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw badState(path, 'is not valid JSON', cause);
  }
  if (Array.isArray(value))
    return merged(value.map((message: JsonValue, i) => stateOf(message, `${path}: [${i}]`)));
  return stateOf(value, path);
}

/**
 * The state that a run begins with: that of the incremental streams. A full refresh begins anew, unless its state
 * says that it is itself what was interrupted.
 */
export function startingState(state: JsonObject, streams: readonly SourceStream[]): JsonObject {
  const anew = new Set(streams.filter(({ fullRefresh }) => fullRefresh).map(({ name }) => name));
  const kept = Object.entries(bookmarksOf(state)).filter(
    ([name, bookmark]) => !anew.has(name) || (isObject(bookmark) && bookmark[UNFINISHED] === true),
  );
  return { ...state, bookmarks: Object.fromEntries(kept) };
}

function merged(states: readonly JsonObject[]): JsonObject {
  return { bookmarks: Object.assign({}, ...states.map(bookmarksOf)) as JsonObject };
}

function bookmarksOf(state: JsonObject): JsonObject {
  return isObject(state['bookmarks']) ? state['bookmarks'] : {};
}

function stateOf(value: JsonValue, place: string): JsonObject {
  if (!isObject(value)) throw badState(place, 'must be an AirbyteStateMessage');
  const inner = value['type'] === 'STATE' ? value['state'] : undefined;
  if (isObject(inner)) return stateOf(inner, place);
  // A Singer state, or one of Airbyte's first form, which had no type: a member for each stream.
  if (isObject(value['bookmarks'])) return value;
  if (!['type', 'stream', 'global', 'data'].some((name) => name in value)) {
    if (!Object.values(value).every(isObject))
      throw badState(place, 'a stream has a state that is no object');
    return { bookmarks: value };
  }
  const result = StateMessage.safeParse(value);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw badState(place, problems.join('; '));
  }
  const { stream, global, data } = result.data;
  if (isObject(data)) return stateOf(data, place);
  const states = [...(global?.stream_states ?? []), ...(stream ? [stream] : [])];
  return {
    bookmarks: Object.fromEntries(
      states.flatMap(({ stream_descriptor: { name }, stream_state: bookmark }) =>
        isObject(bookmark) ? [[name, bookmark]] : [],
      ),
    ),
  };
}

function badState(place: string, problem: string, cause?: unknown): Error {
  return configError(
    `${place}: not a state of this source: ${problem}; correct it, or read without --state`,
    {
      code: 'BAD_STATE',
      cause,
    },
  );
}
