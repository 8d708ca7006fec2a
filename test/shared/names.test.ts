import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameTable } from '../../src/shared/json/names.ts';

describe('nameTable', () => {
  it('finds exactly the names it was given, escapes and all', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom('a', 'aa', '"', '\\', 'é'),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.array(name), fc.boolean(), (known, asked, ascii) => {
        const find = nameTable(new Map(known.map((text) => [text, text])));
        for (const text of [...known, ...asked]) {
          const plain = JSON.stringify(text);
          const json = ascii
            ? plain.replaceAll(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
            : plain;
          const bytes = Buffer.from(` ${json} `);
          expect(find(bytes, 2, bytes.length - 2)).toBe(known.includes(text) ? text : undefined);
        }
      }),
    );
  });
});
