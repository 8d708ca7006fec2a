import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pruned, type Pruning } from '../../src/shared/json/prune.ts';

type Json = { [name: string]: unknown };

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function without(value: Json, rules: Pruning): Json {
  const kept = Object.entries(value).flatMap(([name, member]) => {
    const rule = rules.get(name);
    if (rule === 'all') return [];
    return [[name, rule !== undefined && isObject(member) ? without(member, rule) : member] as const];
  });
  return Object.fromEntries(kept);
}

const NAME = fc.constantFrom('a', 'b', 'ä"\\', '__proto__', 'toString', '');
const objects = (depth: number): fc.Arbitrary<Json> => {
  const scalar = fc.constantFrom<unknown>(null, 1, 'x', [], [{ a: 1 }], {});
  const value = depth === 0 ? scalar : fc.oneof(scalar, objects(depth - 1));
  return fc.dictionary(NAME, value, { maxKeys: 4, noNullPrototype: false });
};
const prunings = (depth: number): fc.Arbitrary<Pruning> => {
  const all = fc.constant('all' as const);
  const rule: fc.Arbitrary<'all' | Pruning> = depth === 0 ? all : fc.oneof(all, prunings(depth - 1));
  return fc.array(fc.tuple(NAME, rule), { maxLength: 4 }).map((entries) => new Map(entries));
};

describe('pruning', () => {
  it('leaves out what the rules name, at every depth, and nothing else', () => {
    fc.assert(
      fc.property(objects(3), prunings(3), fc.constantFrom(0, 2), (value, rules, indent) => {
        const text = JSON.stringify(value, null, indent);
        const result = Buffer.from(pruned(Buffer.from(text), rules)).toString();
        expect(JSON.parse(result)).toEqual(without(JSON.parse(text) as Json, rules));
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps what it keeps byte for byte', () => {
    const text = String.raw`{"n":9223372036854775807.10,"gone":[1,2],"s":"\u00e9\/😀","o":{ "x" : 1e2,"y":{}},"n":-0}`;
    const rules: Pruning = new Map<string, 'all' | Pruning>([
      ['gone', 'all'],
      ['o', new Map([['y', 'all' as const]])],
      ['s', new Map([['x', 'all' as const]])],
    ]);
    expect(Buffer.from(pruned(Buffer.from(text), rules)).toString()).toBe(
      String.raw`{"n":9223372036854775807.10,"s":"\u00e9\/😀","o":{"x" : 1e2},"n":-0}`,
    );
  });

  it('finds names that are written with escapes', () => {
    const text = Buffer.from(String.raw`{"\u0061":1,"b":2}`);
    expect(Buffer.from(pruned(text, new Map([['a', 'all']]))).toString()).toBe('{"b":2}');
  });

  it('copies nothing when there is nothing to leave out', () => {
    const text = Buffer.from('{"a":1}');
    expect(pruned(text, new Map())).toBe(text);
  });
});
