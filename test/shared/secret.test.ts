import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact, Secret } from '../../src/shared/secret.ts';

describe('a secret', () => {
  const secret = new Secret('hunter2 & "co"/ä');

  it.each([
    ['String', () => String(secret)],
    ['joining', () => [secret].join('')],
    ['JSON', () => JSON.stringify({ secret })],
    ['inspect', () => inspect({ deep: { secret } }, { depth: 9, showHidden: true })],
    ['its own properties', () => JSON.stringify(Object.entries(secret)) + Reflect.ownKeys(secret).join(' ')],
    ['an error', () => inspect(new Error('wrong', { cause: secret }))],
  ])('is not shown by %s', (_, show) => {
    expect(show()).not.toContain('hunter2');
  });

  it('is given to those who ask', () => {
    expect(secret.reveal()).toBe('hunter2 & "co"/ä');
  });

  it.each([
    ['as it is', 'login with hunter2 & "co"/ä failed'],
    ['in an address', `https://x/?t=${encodeURIComponent('hunter2 & "co"/ä')}&a=1`],
    ['in JSON', JSON.stringify({ message: 'hunter2 & "co"/ä' })],
  ])('is removed from text %s', (_, text) => {
    expect(redact(text)).toContain('***');
    expect(redact(text)).not.toContain('hunter2');
  });

  it('is removed wherever it stands, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, maxLength: 40 }),
        fc.string(),
        fc.string(),
        (value, before, after) => {
          fc.pre(!/^\*+$/.test(value) && !'***'.includes(value));
          const made = new Secret(value);
          expect(redact(before + made.reveal() + after)).not.toContain(
            value.length > 8 ? value : `\u0000${value}`,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(['Basic YWRhOmNvcnJlY3QgaG9yc2U=', 'Bearer abcdef.ghi-jkl_mno~p+q/r=='])(
    'headers: %s',
    (header) => {
      expect(redact(`authorization: ${header}; x`)).toMatch(/^authorization: (Basic|Bearer) \*\*\*; x$/);
    },
  );

  it('leaves other text alone', () => {
    expect(redact('Bearer of news; Basic idea')).toBe('Bearer of news; Basic idea');
  });
});
