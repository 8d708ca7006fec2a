import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  expectEnd,
  JsonSyntaxError,
  scanArray,
  scannedText,
  scanObject,
  skipValue,
  textEquals,
} from '../../src/shared/json/scan.ts';

function accepts(text: string): boolean {
  const bytes = Buffer.from(text);
  try {
    expectEnd(bytes, skipValue(bytes, 0, bytes.length), bytes.length);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(JsonSyntaxError);
    return false;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Small texts that readers of JSON are known to disagree on. */
const CORNERS = `
1 -1 0 -0 01 -01 -  + +1 1. .1 1.0 1.e1 1e1 1E+1 1e-1 1e 1e+ 0e0 0x1 1_0 Infinity NaN -Infinity 1e400 123456789012345678901234567890
true false null True nul nulll truefalse  "" "a" "\\" "\\u0041" "\\u00" "\\u00G0" "\\x41" "\\/" "\\a" "\\" " "a 'a' "\\ud800" "\\uD83D\\uDE00"
[] [1] [1,] [,1] [1,,2] [1 2] [ [] [[]] [[] []] ] [1]] {} {"a":1} {"a":1,} {,} {"a"} {"a":} {a:1} {'a':1} {"a":1 "b":2} {"a":1,"a":2} {1:1} {"a":{} {}} { } [ ]
{"__proto__":1} {"":0} [1]x //x /**/1 [1]// {"a":/**/1} \u00a01 \ufeff1 1\u2028 "\u2028" "\u007f" "\u0000" "\t" \f1 \v1`
  .split(/ (?=\S)|\n/)
  .map((text) => text.replaceAll(/\\([uftv])(?=[0-9a-f]{4}|1|")/g, '\\$1'));

describe('the JSON scanner', () => {
  it.each(CORNERS)('agrees with JSON.parse on %j', (text) => {
    expect(accepts(text)).toBe(parses(text));
  });

  it('agrees with JSON.parse on any JSON, spaced in any way', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        expect(accepts(JSON.stringify(JSON.parse(text), null, indent))).toBe(true);
      }),
    );
  });

  it('agrees with JSON.parse on JSON with a few bytes changed', () => {
    const alphabet = [...'{}[]",:\\0123456789.eE+-truefalsn/u \n\t\r\u0001é😀'];
    const edit = fc.record({ at: fc.nat(), remove: fc.nat(2), insert: fc.constantFrom('', ...alphabet) });
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.array(edit, { maxLength: 3 }), (json, edits) => {
        let text = json;
        for (const { at, remove, insert } of edits) {
          const p = at % (text.length + 1);
          text = text.slice(0, p) + insert + text.slice(p + remove);
        }
        fc.pre(Buffer.from(text).toString() === text);
        expect(accepts(text)).toBe(parses(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('takes nesting that would overflow a call stack', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(accepts(deep)).toBe(true);
    expect(accepts(`${deep}]`)).toBe(false);
    expect(accepts('{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000))).toBe(true);
  });

  it('finds the members and elements that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (object) => {
        const bytes = Buffer.from(JSON.stringify(object, null, 1));
        const found: [string, unknown][] = [];
        const end = scanObject(bytes, 0, bytes.length, (start, stop, value) => {
          const after = skipValue(bytes, value, bytes.length);
          found.push([scannedText(bytes, start, stop), JSON.parse(bytes.toString('utf8', value, after))]);
          return found.length % 2 === 0 ? after : -1;
        });
        expect(end).toBe(bytes.length);
        expect(found).toEqual(Object.entries(JSON.parse(bytes.toString()) as object));
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (array) => {
        const bytes = Buffer.from(JSON.stringify(array));
        let count = 0;
        scanArray(bytes, 0, bytes.length, () => (count++, -1));
        expect(count).toBe(array.length);
      }),
    );
  });

  it('compares names by their text, escapes resolved', () => {
    const equal = (json: string, text: string): boolean =>
      textEquals(Buffer.from(json), 0, Buffer.byteLength(json), text);
    expect(equal('type', 'type')).toBe(true);
    expect(equal('\\u0074ype', 'type')).toBe(true);
    expect(equal('typé', 'type')).toBe(false);
    expect(equal('types', 'type')).toBe(false);
    expect(equal('typ', 'type')).toBe(false);
  });

  it('notes where string values of a watched length begin, names excepted', () => {
    const text = '{"abc":"xyz","d":["uvw",{"e":"x"}],"f":"\\u0041"}';
    const bytes = Buffer.from(text);
    const starts: number[] = [];
    skipValue(bytes, 0, bytes.length, { length: 3, starts });
    expect(starts.map((start) => text.slice(start, start + 3))).toEqual(['xyz', 'uvw']);
  });
});
