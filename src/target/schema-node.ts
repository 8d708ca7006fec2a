import { nameTable, type NameTable } from '../shared/json/names.ts';
import { isObject, type JsonObject, type JsonValue } from '../shared/json/value.ts';

/** What a JSON Schema asks of a value, ready to be checked. `undefined` members ask for nothing. */
export type Node = {
  /** Bits of `TYPES`; 0 allows every type. */
  types: number;
  typeNames: string;
  required: readonly string[];
  /** The members that are required or have a schema of their own. */
  members: NameTable<Member> | undefined;
  patterns: readonly (readonly [RegExp, Node])[];
  /** For members that no other rule names; false forbids them. */
  additional: Node | false | undefined;
  items: Node | undefined;
  prefixItems: readonly Node[];
  /** The JSON texts of the values that are allowed. */
  choices: ReadonlySet<string> | undefined;
  bounds: readonly Bound[];
  pattern: RegExp | undefined;
  all: readonly Node[];
  any: readonly Node[] | undefined;
  one: readonly Node[] | undefined;
  none: Node | undefined;
  /** True if one of the four above asks for something. */
  combines: boolean;
  /** True if nothing of the value has to be looked at. */
  anything: boolean;
};

/** What a schema says of a member of an object. */
export type Member = {
  readonly name: string;
  /** Everything that its value has to fit. */
  readonly children: readonly Node[];
  readonly forbidden: boolean;
};

/** A limit for a number, the length of a text, or the size of an array. */
export type Bound = {
  readonly of: 'number' | 'string' | 'array';
  readonly holds: (size: number) => boolean;
  readonly text: string;
};

export const TYPES: Readonly<Record<string, number>> = {
  null: 1,
  boolean: 2,
  integer: 4,
  number: 8,
  string: 16,
  array: 32,
  object: 64,
};

/**
 * Makes a schema ready. Known are the words of drafts 4 to 2020 that taps use; `format` and `multipleOf` are
 * taken as hints, since taps write them for columns of databases, and unknown words ask for nothing.
 */
export function compileSchema(root: JsonObject): Node {
  const memo = new Map<JsonValue, Node>();
  const compile = (schema: JsonValue | undefined): Node => {
    const known = schema === undefined ? undefined : memo.get(schema);
    if (known !== undefined && isObject(schema)) return known;
    const node = blank();
    if (!isObject(schema)) return node;
    const text = sharedText(schema);
    const shared = text === undefined ? undefined : sharedNodes.get(text);
    if (shared !== undefined) return shared;
    node.anything = false; // until it is known: a part of it may lead back here
    memo.set(schema, node);
    const list = (name: string): readonly Node[] | undefined => {
      const value = schema[name];
      return Array.isArray(value) && value.length > 0 ? value.map(compile) : undefined;
    };
    const pairs = (name: string): [string, Node][] =>
      isObject(schema[name]) ? Object.entries(schema[name]).map(([key, value]) => [key, compile(value)]) : [];
    const types = [schema['type'] ?? []].flat().filter((name) => typeof name === 'string');
    // A type that nobody knows allows everything.
    if (types.every((name) => TYPES[name] !== undefined))
      for (const name of types) node.types |= TYPES[name]! | (name === 'number' ? TYPES['integer']! : 0);
    node.typeNames = types.join(' or ');
    const required = schema['required'];
    node.required = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
    const additional = schema['additionalProperties'];
    node.patterns = pairs('patternProperties').flatMap(([text, child]) => {
      const found = regExp(text);
      return found === undefined ? [] : [[found, child] as const];
    });
    node.additional = additional === false ? false : isObject(additional) ? compile(additional) : undefined;
    if (node.additional !== false && node.additional?.anything === true) node.additional = undefined;
    node.members = members(node, new Map(pairs('properties')));
    const items = schema['items'];
    node.prefixItems = list('prefixItems') ?? (Array.isArray(items) ? items.map(compile) : []);
    node.items = isObject(items) ? compile(items) : undefined;
    if (node.items?.anything === true) node.items = undefined;
    const choices = Array.isArray(schema['enum']) ? schema['enum'] : undefined;
    const only = Object.hasOwn(schema, 'const') ? [schema['const']!] : choices;
    node.choices = only === undefined ? undefined : new Set(only.map((value) => JSON.stringify(value)));
    node.bounds = bounds(schema);
    node.pattern = typeof schema['pattern'] === 'string' ? regExp(schema['pattern']) : undefined;
    const target = typeof schema['$ref'] === 'string' ? resolve(root, schema['$ref']) : undefined;
    node.all = [...(list('allOf') ?? []), ...(target === undefined ? [] : [compile(target)])];
    node.any = list('anyOf');
    node.one = list('oneOf');
    node.none = isObject(schema['not']) ? compile(schema['not']) : undefined;
    node.combines = node.all.length > 0 || [node.any, node.one, node.none].some((part) => part !== undefined);
    node.anything = asksNothing(node);
    if (text !== undefined) share(text, node);
    return node;
  };
  const node = compile(root);
  const state = new Map<Node, 'under way' | 'done'>();
  for (const each of memo.values()) cutLoops(each, state);
  return node;
}

/** What many properties of many streams ask for in the same words, such as a text or null. */
const sharedNodes = new Map<string, Node>();
const MOST_SHARED = 5000;
const LONGEST_SHARED = 400;

function share(text: string, node: Node): void {
  if (sharedNodes.size >= MOST_SHARED) sharedNodes.clear();
  sharedNodes.set(text, node);
}

/** The same for schemas that ask the same; undefined for those that are large or refer to others. */
function sharedText(schema: JsonObject): string | undefined {
  const { title: _, description: __, default: ___, examples: ____, ...asks } = schema;
  if (asks['properties'] !== undefined) return undefined;
  const text = JSON.stringify(asks);
  return text.length > LONGEST_SHARED || text.includes('"$ref"') ? undefined : text;
}

/**
 * A schema that leads back to itself for the same value, as `{"$ref":"#"}` at its top does, asks nothing more
 * there, and checking it would never end. What leads back for a part of the value stays: values end.
 */
function cutLoops(node: Node, state: Map<Node, 'under way' | 'done'>): void {
  if (!node.combines || state.has(node)) return;
  state.set(node, 'under way');
  const cut = (child: Node): Node => {
    cutLoops(child, state);
    return state.get(child) === 'under way' ? blank() : child;
  };
  node.all = node.all.map(cut);
  node.any = node.any?.map(cut);
  node.one = node.one?.map(cut);
  node.none = node.none === undefined ? undefined : cut(node.none);
  state.set(node, 'done');
}

function blank(): Node {
  return {
    types: 0,
    typeNames: '',
    required: [],
    members: undefined,
    patterns: [],
    additional: undefined,
    items: undefined,
    prefixItems: [],
    choices: undefined,
    bounds: [],
    pattern: undefined,
    all: [],
    any: undefined,
    one: undefined,
    none: undefined,
    combines: false,
    anything: true,
  };
}

function asksNothing(node: Node): boolean {
  return (
    node.types === 0 &&
    !node.combines &&
    node.patterns.length + node.prefixItems.length + node.bounds.length === 0 &&
    [node.members, node.additional, node.items, node.choices, node.pattern].every(
      (part) => part === undefined,
    )
  );
}

const NO_PROPERTIES: ReadonlyMap<string, Node> = new Map();

/** What the schema says of the member `name`. */
export function memberOf(
  { patterns, additional }: Pick<Node, 'patterns' | 'additional'>,
  name: string,
  properties = NO_PROPERTIES,
): Member {
  const property = properties.get(name);
  const matching = patterns.filter(([pattern]) => pattern.test(name)).map(([, child]) => child);
  const rules = property === undefined ? matching : [property, ...matching];
  // Copied, since a list that was filtered has room for more, and there may be a million of them.
  if (rules.length > 0)
    return { name, children: rules.filter((child) => !child.anything).slice(), forbidden: false };
  if (additional === false) return { name, children: [], forbidden: true };
  return { name, children: additional === undefined ? [] : [additional], forbidden: false };
}

/** The members to look up by name: those of which something is asked, or all where others are asked more. */
function members(node: Node, properties: ReadonlyMap<string, Node>): NameTable<Member> | undefined {
  const found = new Map<string, Member>();
  const others = node.patterns.length > 0 || node.additional !== undefined;
  for (const name of new Set([...properties.keys(), ...node.required])) {
    const member = memberOf(node, name, properties);
    if (others || member.children.length > 0 || node.required.includes(name)) found.set(name, member);
  }
  return found.size === 0 ? undefined : nameTable(found);
}

function bounds(schema: JsonObject): Bound[] {
  const found: Bound[] = [];
  const add = (name: string, of: Bound['of'], holds: (size: number, limit: number) => boolean): void => {
    const limit = schema[name];
    if (typeof limit === 'number')
      found.push({ of, holds: (size) => holds(size, limit), text: `${name} ${limit}` });
  };
  const strictly = (name: string): boolean => schema[name] === true; // as in draft 4
  add('minimum', 'number', (size, limit) => (strictly('exclusiveMinimum') ? size > limit : size >= limit));
  add('maximum', 'number', (size, limit) => (strictly('exclusiveMaximum') ? size < limit : size <= limit));
  add('exclusiveMinimum', 'number', (size, limit) => size > limit);
  add('exclusiveMaximum', 'number', (size, limit) => size < limit);
  add('minLength', 'string', (size, limit) => size >= limit);
  add('maxLength', 'string', (size, limit) => size <= limit);
  add('minItems', 'array', (size, limit) => size >= limit);
  add('maxItems', 'array', (size, limit) => size <= limit);
  return found;
}

function regExp(text: string): RegExp | undefined {
  try {
    return new RegExp(text, 'u');
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function resolve(root: JsonObject, reference: string): JsonValue | undefined {
  if (!reference.startsWith('#')) return undefined;
  let value: JsonValue | undefined = root;
  for (const part of decoded(reference).split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}
