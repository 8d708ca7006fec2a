import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyCheck } from '../../src/target/key-check.ts';

const missing = (record: string, ...keys: string[]): string | undefined =>
  keyCheck(keys)(Buffer.from(record));

describe('keyCheck', () => {
  it.each([
    ['{"id":1}', ['id'], undefined],
    ['{ "a" : {"id":1} }', ['id'], 'id'],
    ['{"b":2,"a":1}', ['a', 'b'], undefined],
    ['{"b":2,"b":1}', ['a', 'b'], 'a'],
    ['{"\\u0069d":1}', ['id'], undefined],
    ['{"id":null}', ['id'], undefined],
    ['{"é😀":1}', ['é😀'], undefined],
    ['{"é":1}', ['è'], 'è'],
    ['{}', ['id'], 'id'],
    ['{}', [], undefined],
    ['{"a\\"b":1}', ['a"b'], undefined],
    ['{"toString":1}', ['__proto__'], '__proto__'],
    ['{"":1}', [''], undefined],
  ])('%s with keys %j lacks %j', (record, keys, expected) => {
    expect(missing(record, ...keys)).toBe(expected);
  });

  it('agrees with a parser', () => {
    const names = fc.constantFrom('a', 'b', 'aa', 'é', '"', '\\', '', '\u0000', '__proto__');
    const record = fc.array(fc.tuple(names, fc.jsonValue()));
    fc.assert(
      fc.property(record, fc.uniqueArray(names), (members, keys) => {
        const text = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
        const own = new Set(members.map(([name]) => name));
        expect(missing(text, ...keys)).toBe(keys.find((key) => !own.has(key)));
      }),
    );
  });
});
