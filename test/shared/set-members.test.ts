import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setMembers } from '../../src/shared/json/set-members.ts';

describe('setting members in the text of a JSON object', () => {
  it.each([
    ['{"c":{"a":"1"}}', { a: '2' }, '{"c":{"a":"2"}}'],
    ['{"c":{"a":"1"}}', { b: '2', d: '3' }, '{"c":{"a":"1","b": "2","d": "3"}}'],
    ['{ "c": { "a": "1" } }', { b: '2' }, '{ "c": { "a": "1", "b": "2" } }'],
    ['{\n\t"c": {\n\t\t"a": "1"\n\t}\n}\n', { b: '2' }, '{\n\t"c": {\n\t\t"a": "1",\n\t\t"b": "2"\n\t}\n}\n'],
    [
      '{\r\n "c": {\r\n  "a": 1\r\n }\r\n}',
      { b: '"\n' },
      '{\r\n "c": {\r\n  "a": 1,\r\n  "b": "\\"\\n"\r\n }\r\n}',
    ],
    ['{"c":{}}', { a: '1', b: '2' }, '{"c":{"a": "1", "b": "2"}}'],
    [
      '{"c":{"a":"1","b":{"a":"x"},"a":"2"},"a":"y"}',
      { a: '3' },
      '{"c":{"a":"1","b":{"a":"x"},"a":"3"},"a":"y"}',
    ],
    ['{"c":{"\\u0061":"1"}}', { a: '2' }, '{"c":{"\\u0061":"2"}}'],
    ['{"ü":"😀","c":{"a":"ä"}}', { a: '€', b: '😀' }, '{"ü":"😀","c":{"a":"€","b": "😀"}}'],
    ['{"c":{"a":"1"}}', {}, '{"c":{"a":"1"}}'],
  ])('%j with %j', (text, members, expected) => {
    expect(setMembers(text, 'c', members as Record<string, string>)).toBe(expected);
  });

  it('does to the text what it says of the object', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(
        objects,
        objects,
        fc.dictionary(fc.string(), fc.string()),
        fc.nat(4),
        (outer, inner, set, indent) => {
          const value = JSON.parse(JSON.stringify({ ...outer, c: inner })) as Record<string, object>;
          const changed = JSON.parse(setMembers(JSON.stringify(value, null, indent), 'c', set)) as unknown;
          const plain = JSON.parse(JSON.stringify(set)) as object;
          expect(changed).toEqual({ ...value, c: { ...value['c'], ...plain } });
        },
      ),
    );
  });
});
