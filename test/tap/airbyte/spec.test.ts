import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/shared/json/value.ts';
import { connectorSpecification } from '../../../src/tap/spec.ts';
import { airbyteMessages } from '../../support/airbyte.ts';
import { specProblems } from '../../support/airbyte-spec-rules.ts';
import { FLAVOURS, tapConfig } from '../../support/tap-config.ts';

type Open = Record<string, JsonValue>;
type Form = Open & { properties: Record<string, Open>; groups: JsonValue };

const form = (): Form => structuredClone(connectorSpecification()['connectionSpecification']) as Form;
const variants = ({ properties }: Form): Form[] => properties['credentials']!['oneOf'] as unknown as Form[];

describe('the specification of the source', () => {
  it('keeps the rules of Airbyte', () => {
    expect(specProblems(form())).toEqual([]);
    expect(airbyteMessages(JSON.stringify({ type: 'SPEC', spec: connectorSpecification() }))).toHaveLength(1);
  });

  // What the rules find: each line breaks one of them.
  it.each<[string, (spec: Form) => void]>([
    ['is no object', (spec) => void (spec['type'] = 'string')],
    ['has $ref', (spec) => void (spec.properties['jql']!['$ref'] = '#/x')],
    ['has anyOf', (spec) => void (spec.properties['jql']!['anyOf'] = [])],
    ['has additionalProperties', (spec) => void (variants(spec)[0]!['additionalProperties'] = false)],
    ['not put in order', (spec) => void (spec.properties['jql']!['order'] = 0)],
    ['not put in order', (spec) => void delete variants(spec)[0]!.properties['auth_type']!['order']],
    ['requires nothing, which', (spec) => void (spec['required'] = ['nothing'])],
    ['has no title', (spec) => void delete spec.properties['jql']!['title']],
    ['has no description', (spec) => void delete spec.properties['jql']!['description']],
    ['is not of one type', (spec) => void (spec.properties['jql']!['type'] = ['string', 'number'])],
    ['repeats a value', (spec) => void (spec.properties['round_to']!['enum'] = ['hour', 'hour'])],
    [
      'not marked as a secret',
      (spec) => void delete variants(spec)[0]!.properties['token']!['airbyte_secret'],
    ],
    ['secret, which it cannot be', (spec) => void (spec.properties['credentials']!['airbyte_secret'] = true)],
    [
      'description of its pattern',
      (spec) => void delete spec.properties['start_date']!['pattern_descriptor'],
    ],
    ['none of its values', (spec) => void (spec.properties['round_to']!['default'] = 'day')],
    ['[]: has anyOf', (spec) => void (spec.properties['projects']!['items'] = { type: 'string', anyOf: [] })],
    ['has no pattern', (spec) => void delete spec.properties['start_date']!['pattern']],
    ['items of a forbidden type', (spec) => void (spec.properties['projects']!['items'] = { type: 'array' })],
    ['is empty', (spec) => void (spec.properties['jql']!['type'] = 'object')],
    ['is in no group', (spec) => void (spec.properties['jql']!['group'] = 'nowhere')],
    ['a choice, yet no object', (spec) => void delete spec.properties['credentials']!['type']],
    ['one constant in common', (spec) => void delete variants(spec)[1]!.properties['auth_type']],
    [
      'the same constant',
      (spec) =>
        void (variants(spec)[1]!.properties['auth_type'] = variants(spec)[0]!.properties['auth_type']!),
    ],
    ['a default or an enum', (spec) => void (variants(spec)[0]!.properties['auth_type']!['default'] = 'x')],
  ])('would be found out: %s', (problem, spoil) => {
    const spec = form();
    spoil(spec);
    expect(specProblems(spec)).toContainEqual(expect.stringContaining(problem));
  });

  it('shows first what is needed first, and the fine tuning last', () => {
    const { properties, groups, required } = form();
    const byOrder = Object.entries(properties).toSorted(
      ([, a], [, b]) => Number(a['order']) - Number(b['order']),
    );
    expect(byOrder.slice(0, 2).map(([name]) => name)).toEqual(required);
    const groupIds = (groups as JsonObject[]).map(({ id }) => String(id));
    expect([...new Set(byOrder.map(([, { group }]) => String(group)))].toSorted()).toEqual(
      groupIds.toSorted(),
    );
  });

  it.each(FLAVOURS)('accepts a configuration for %s, and no wrong one', (flavour) => {
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(form());
    const config = tapConfig(flavour, 'https://jira.example.com', {
      start_date: '2026-01-01T00:00:00+01:00',
    });
    expect(validate(config)).toBe(true);
    expect(validate({ ...config, _limit: 1 })).toBe(true);
    expect(validate({ ...config, credentials: { auth_type: 'basic' } })).toBe(false);
    expect(validate({ ...config, start_date: 'yesterday' })).toBe(false);
  });
});
