import { z } from 'zod';
import { configError } from './errors.ts';
import { isObject, stringOf, type JsonObject, type JsonValue } from './json/value.ts';

type Environment = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prefix of the names, such as `TAP_JIRA_`. */
  readonly envPrefix: string;
};

/**
 * The settings of a schema that the environment has, by their types: `TAP_JIRA_PAGE_SIZE`, objects and lists as JSON.
 * A member of an object may have a variable of its own, `TAP_JIRA_CREDENTIALS_API_TOKEN`; it is added to the others,
 * which are those of `before` unless the object has a variable too. Empty variables count as unset.
 */
export function fromEnvironment(
  schema: z.ZodObject,
  { env, envPrefix }: Environment,
  before: JsonObject,
): JsonObject {
  const read = (name: string, property: JsonValue): JsonValue | undefined => {
    const text = env[name];
    if (text === undefined || text === '') return undefined;
    return cast(text, isObject(property) ? stringOf(property['type']) : '', name);
  };
  const settings = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonObject;
  const values: Record<string, JsonValue> = {};
  for (const [key, property] of propertiesOf(settings)) {
    const name = envPrefix + key.toUpperCase();
    const whole = read(name, property);
    const members = membersOf(property).flatMap(([member, inner]) => {
      const value = read(`${name}_${member.toUpperCase()}`, inner);
      return value === undefined ? [] : [[member, value] as const];
    });
    const others = whole ?? before[key];
    if (members.length > 0)
      values[key] = { ...(isObject(others) ? others : {}), ...Object.fromEntries(members) };
    else if (whole !== undefined) values[key] = whole;
  }
  return values;
}

/** What an object has as members, in any of its forms. */
function membersOf(property: JsonValue): [string, JsonValue][] {
  const variants = isObject(property) ? property['oneOf'] : undefined;
  return [...propertiesOf(property), ...(Array.isArray(variants) ? variants.flatMap(propertiesOf) : [])];
}

function propertiesOf(schema: JsonValue): [string, JsonValue][] {
  const properties = isObject(schema) ? schema['properties'] : undefined;
  return isObject(properties) ? Object.entries(properties) : [];
}

function cast(text: string, type: string, name: string): JsonValue {
  switch (type) {
    case 'string':
      return text;
    case 'boolean':
      if (/^(true|1|yes|on)$/i.test(text)) return true;
      if (/^(false|0|no|off)$/i.test(text)) return false;
      throw configError(`environment: ${name}: must be true or false`, { code: 'CONFIG' });
    case 'integer':
    case 'number':
      if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
      throw configError(`environment: ${name}: must be a number`, { code: 'CONFIG' });
    default:
      try {
        return JSON.parse(text) as JsonValue;
      } catch (cause) {
        throw configError(`environment: ${name}: must be JSON`, { code: 'CONFIG', cause });
      }
  }
}
