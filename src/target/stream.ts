import { createHash } from 'node:crypto';
import type { SchemaMessage } from '../protocol/message.ts';
import { configError } from '../shared/errors.ts';
import { isObject, type JsonValue } from '../shared/json/value.ts';
import { keyCheck, type KeyCheck } from './key-check.ts';
import { schemaCheck, type SchemaCheck } from './schema-check.ts';

/** What the newest SCHEMA says of a stream. */
export type Stream = {
  readonly name: string;
  /** The properties that the schema names. (The schema itself would take more room than all else.) */
  readonly properties: readonly string[];
  /** Equal for equal schemas and keys, whatever the order of their members. */
  readonly fingerprint: string;
  readonly missingKey: KeyCheck;
  readonly check: SchemaCheck;
};

export function toStream(message: SchemaMessage): Stream {
  const { stream: name, schema, keyProperties } = message;
  if (!isObject(schema['properties']))
    throw configError(
      `stream ${JSON.stringify(name)}: its SCHEMA has no "properties"; a stream's schema must describe an object`,
      { code: 'BAD_SCHEMA' },
    );
  try {
    return {
      name,
      properties: Object.keys(schema['properties']),
      fingerprint: fingerprint({ schema, key_properties: keyProperties }),
      missingKey: keyCheck(keyProperties),
      check: schemaCheck(schema),
    };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw configError(
      `stream ${JSON.stringify(name)}: its SCHEMA is nested too deeply; correct the tap, or deselect the stream`,
      { code: 'BAD_SCHEMA', cause },
    );
  }
}

function fingerprint(value: JsonValue): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 16);
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  // Pairs instead of an object: a member named __proto__ would get lost in one.
  return Object.keys(value)
    .toSorted()
    .map((key) => [key, sorted(value[key]!)]);
}
