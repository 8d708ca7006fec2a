import { scanArray, scannedText, scanObject, skipString, skipValue } from '../shared/json/scan.ts';
import { parseBytes, type JsonObject } from '../shared/json/value.ts';
import { compileSchema, memberOf, TYPES, type Node } from './schema-node.ts';

/** What is wrong at a place of a record, as `/fields/summary`. Values are not quoted: they may be private. */
export type Problem = { readonly path: string; readonly message: string };

/** Everything that is wrong with a record (a JSON object known to be well-formed); nothing if it fits. */
export type SchemaCheck = (record: Uint8Array) => readonly Problem[];

/** A check against a JSON Schema. It reads the bytes and builds nothing of parts the schema says nothing about. */
export function schemaCheck(schema: JsonObject): SchemaCheck {
  const node = compileSchema(schema);
  if (node.anything) return () => [];
  return (record) => {
    const problems: Problem[] = [];
    try {
      check(node, record, 0, problems);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return [{ path: '', message: 'is nested too deeply to be checked' }];
    }
    return problems;
  };
}

const STRING = 0x22;
const OBJECT = 0x7b;
const ARRAY = 0x5b;

/** Returns the byte after the value. */
function check(node: Node, bytes: Uint8Array, at: number, problems: Problem[]): number {
  const { length } = bytes;
  if (node.anything) return skipValue(bytes, at, length);
  const first = bytes[at];
  const say = (message: string): void => void problems.push({ path: '', message });
  let after: number;
  let type: number;
  if (first === OBJECT) {
    type = TYPES['object']!;
    after = checkObject(node, bytes, at, problems);
  } else if (first === ARRAY) {
    type = TYPES['array']!;
    after = checkArray(node, bytes, at, problems);
  } else if (first === STRING) {
    type = TYPES['string']!;
    after = skipString(bytes, at, length);
    if (node.pattern !== undefined || node.bounds.length > 0) {
      const text = scannedText(bytes, at + 1, after - 1);
      if (node.pattern?.test(text) === false) say(`does not match the pattern ${node.pattern.source}`);
      for (const bound of node.bounds)
        if (bound.of === 'string' && !bound.holds([...text].length)) say(`is against ${bound.text}`);
    }
  } else {
    after = skipValue(bytes, at, length);
    type =
      first === 0x6e
        ? TYPES['null']!
        : first === 0x74 || first === 0x66
          ? TYPES['boolean']!
          : number(bytes, at, after);
    if (node.bounds.length > 0 && (type & 12) !== 0) {
      const value = Number(parseBytes(bytes, at, after));
      for (const bound of node.bounds)
        if (bound.of === 'number' && !bound.holds(value)) say(`is against ${bound.text}`);
    }
  }
  if (node.types !== 0 && (node.types & type) === 0) say(`must be ${node.typeNames}, not ${nameOf(type)}`);
  if (node.choices !== undefined && !node.choices.has(JSON.stringify(parseBytes(bytes, at, after))))
    say('is not one of the values that its schema lists');
  if (node.combines) checkCombined(node, bytes, at, problems);
  return after;
}

function checkObject(node: Node, bytes: Uint8Array, at: number, problems: Problem[]): number {
  const { required, members, patterns, additional } = node;
  const others = patterns.length > 0 || additional !== undefined;
  if (members === undefined && !others) return skipValue(bytes, at, bytes.length);
  const missing = required.length === 0 ? undefined : new Set(required);
  const after = scanObject(bytes, at, bytes.length, (start, end, valueStart) => {
    const named = members?.(bytes, start, end);
    if (named === undefined && !others) return -1;
    const member = named ?? memberOf(node, scannedText(bytes, start, end));
    missing?.delete(member.name);
    if (member.forbidden)
      problems.push({ path: place(member.name), message: 'is not allowed by the schema' });
    let valueEnd = -1;
    for (const child of member.children) valueEnd = inside(member.name, child, bytes, valueStart, problems);
    return valueEnd;
  });
  if (missing !== undefined)
    for (const name of missing) problems.push({ path: place(name), message: 'is missing' });
  return after;
}

function checkArray(node: Node, bytes: Uint8Array, at: number, problems: Problem[]): number {
  const { items, prefixItems, bounds } = node;
  if (items === undefined && prefixItems.length + bounds.length === 0)
    return skipValue(bytes, at, bytes.length);
  let count = 0;
  const after = scanArray(bytes, at, bytes.length, (valueStart) => {
    const child = prefixItems[count] ?? items;
    count++;
    return child === undefined ? -1 : inside(String(count - 1), child, bytes, valueStart, problems);
  });
  for (const bound of bounds)
    if (bound.of === 'array' && !bound.holds(count))
      problems.push({ path: '', message: `is against ${bound.text}` });
  return after;
}

function checkCombined(node: Node, bytes: Uint8Array, at: number, problems: Problem[]): void {
  const fits = (child: Node): boolean => {
    const found: Problem[] = [];
    check(child, bytes, at, found);
    return found.length === 0;
  };
  const say = (message: string): void => void problems.push({ path: '', message });
  for (const child of node.all) check(child, bytes, at, problems);
  if (node.any !== undefined && !node.any.some(fits)) say('fits none of the schemas in anyOf');
  if (node.one !== undefined && node.one.filter(fits).length !== 1)
    say('does not fit exactly one of the schemas in oneOf');
  if (node.none !== undefined && fits(node.none)) say('fits the schema in not');
}

/** Checks a part of a value; the problems found get its name. */
function inside(name: string, node: Node, bytes: Uint8Array, at: number, problems: Problem[]): number {
  const before = problems.length;
  const after = check(node, bytes, at, problems);
  for (let i = before; i < problems.length; i++)
    problems[i] = { path: place(name) + problems[i]!.path, message: problems[i]!.message };
  return after;
}

function place(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function number(bytes: Uint8Array, at: number, end: number): number {
  for (let p = at; p < end; p++) {
    const c = bytes[p]!;
    if (c === 0x2e || c === 0x65 || c === 0x45)
      return Number.isInteger(parseBytes(bytes, at, end)) ? TYPES['integer']! : TYPES['number']!;
  }
  return TYPES['integer']!;
}

function nameOf(type: number): string {
  return Object.entries(TYPES).find(([, bit]) => bit === type)?.[0] ?? 'this';
}
