import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/shared/json/value.ts';
import { schemaCheck } from '../../src/target/schema-check.ts';

const problems = (schema: JsonObject, record: JsonValue): string[] =>
  schemaCheck(schema)(Buffer.from(JSON.stringify(record))).map(({ path, message }) => `${path} ${message}`);

const NAMES = ['a', 'b', 'c~/d', 'é'];
const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];

const leaf = fc.constantFrom<JsonObject>(
  {},
  { type: 'string' },
  { type: ['null', 'integer'] },
  { type: 'number', minimum: 1 },
  { type: 'string', maxLength: 1 },
  { enum: [1, 'x', null] },
  { pattern: '^x' },
  { required: ['a'] },
);

/** Schemas with one to three words, whose parts are of a simpler kind. */
function schemasOf(part: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> {
  const named = fc.dictionary(fc.constantFrom(...NAMES), part, { maxKeys: 3 });
  const parts = fc.array(part, { minLength: 1, maxLength: 2 });
  const word = fc.oneof(
    fc.record({ type: fc.uniqueArray(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 3 }) }),
    fc.record({ properties: named }),
    fc.record({ properties: named, additionalProperties: fc.oneof(fc.boolean(), part) }),
    fc.record({ required: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 }) }),
    fc.record({ patternProperties: fc.dictionary(fc.constantFrom('^a', 'd$'), part, { maxKeys: 1 }) }),
    fc.record({ items: part }),
    fc.record({ minItems: fc.nat(2) }),
    fc.record({ exclusiveMaximum: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ const: fc.constantFrom<JsonValue>(1, 'x', null) }),
    fc.record({ anyOf: parts }),
    fc.record({ oneOf: parts }),
    fc.record({ allOf: parts }),
    fc.record({ not: part }),
    fc.constant({ $ref: '#/definitions/named' }),
  );
  return fc
    .array(word, { minLength: 1, maxLength: 3 })
    .map((words) => Object.assign({}, ...words) as JsonObject);
}

const simple = schemasOf(leaf);
const schemas = schemasOf(fc.oneof(leaf, simple));

const values = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<JsonValue>(null, true, 1, -1, 0, 1.5, 2, 'x', 'xé', '', 'long text', 1e3),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES, 'other'), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** Lists of lists of lists. */
const LISTS = { list: { type: 'array', items: { $ref: '#/definitions/list' } } };

describe('the check of records', () => {
  it('agrees with ajv', () => {
    let fit = 0;
    fc.assert(
      fc.property(schemas, leaf, values, (schema, named, record) => {
        const root = { ...schema, definitions: { named } };
        const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
        const expected = ajv.validate(root, record);
        if (expected) fit++;
        expect(problems(root, record).length === 0, JSON.stringify(problems(root, record))).toBe(expected);
      }),
      { numRuns: 150 },
    );
    expect(fit).toBeGreaterThan(10);
  }, 120_000);

  it('names everything that is wrong, and where', () => {
    const schema = {
      required: ['id'],
      properties: {
        n: { type: ['null', 'integer'] },
        fields: { properties: { list: { items: { type: 'string' } } } },
      },
    };
    expect(problems(schema, { n: 1.5, fields: { list: ['a', 1, null] } })).toEqual([
      '/n must be null or integer, not number',
      '/fields/list/1 must be string, not integer',
      '/fields/list/2 must be string, not null',
      '/id is missing',
    ]);
  });

  it('takes large numbers, hints and unknown words as they are', () => {
    const schema = {
      properties: {
        big: { type: 'integer', format: 'int64', multipleOf: 0.01 },
        at: { type: 'string', format: 'date-time' },
        what: { type: 'geometry' },
      },
    };
    const record = '{"big":123456789012345678901234567890,"at":"yesterday","what":1}';
    expect(schemaCheck(schema)(Buffer.from(record))).toEqual([]);
  });

  it('follows a schema that contains itself', () => {
    const tree = { type: 'object', properties: { child: { $ref: '#/definitions/tree' } } };
    const schema = { ...tree, definitions: { tree } };
    expect(problems(schema, { child: { child: {} } })).toEqual([]);
    expect(problems(schema, { child: { child: 1 } })).toEqual(['/child/child must be object, not integer']);
  });

  it.each([
    ['itself', { type: 'object', $ref: '#' }],
    ['itself by way of another', { allOf: [{ anyOf: [{ $ref: '#/definitions/a' }] }], type: 'object' }],
    ['its opposite', { type: 'object', not: { allOf: [{ $ref: '#' }, { type: 'array' }] } }],
    ['itself twice', { type: 'object', oneOf: [{ $ref: '#' }, { type: 'null' }] }],
  ])('ends when a schema asks for %s', (_, schema) => {
    const looped = { ...schema, definitions: { a: { $ref: '#/definitions/b' }, b: { $ref: '#' } } };
    expect(problems(looped, { x: 1 })).toEqual([]);
    expect(problems({ properties: { x: { $ref: '#' } }, $ref: '#', type: 'object' }, { x: 1 })).toEqual([
      '/x must be object, not integer',
    ]);
  });

  it('says when a record is too deep to be checked', () => {
    const deep = `{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const check = schemaCheck({ properties: { x: { $ref: '#/definitions/list' } }, definitions: LISTS });
    expect(check(Buffer.from(deep)).map(({ message }) => message)).toEqual([
      'is nested too deeply to be checked',
    ]);
  });
});
