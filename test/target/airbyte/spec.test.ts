import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/shared/json/value.ts';
import { airbyteLine } from '../../../src/protocol/airbyte.ts';
import { destinationSpecification } from '../../../src/target/airbyte/spec.ts';
import { Config } from '../../../src/target/config.ts';
import { airbyteMessages } from '../../support/airbyte.ts';
import { specProblems } from '../../support/airbyte-spec-rules.ts';

const FILE = new URL('../../../destination-spec.json', import.meta.url);
const specification = destinationSpecification();
const form = specification['connectionSpecification'] as JsonObject;
const properties = form['properties'] as Readonly<Record<string, JsonObject>>;

describe('the specification of the destination', () => {
  it('is destination-spec.json (UPDATE=1 writes it)', () => {
    const text = `${JSON.stringify(specification, null, 2)}\n`;
    if (process.env['UPDATE'] === '1') writeFileSync(FILE, text);
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(text));
  });

  it("keeps the protocol and the rules of Airbyte's tests", () => {
    expect(
      airbyteMessages(Buffer.from(airbyteLine({ type: 'SPEC', spec: specification })).toString()),
    ).toHaveLength(1);
    expect(specProblems(form)).toEqual([]);
    expect(specification).toMatchObject({
      supportsIncremental: true,
      supported_destination_sync_modes: ['append', 'overwrite'],
    });
  });

  it('has every setting but those that a form cannot have or Airbyte decides', () => {
    const left = Object.keys(Config.shape).filter((name) => !(name in properties));
    expect(left).toEqual(['tags', 'load_method']);
    expect(Object.keys(properties)[0]).toBe('s3_bucket');
    const secrets = Object.keys(properties).filter((name) => properties[name]!['airbyte_secret'] === true);
    expect(secrets).toEqual(['aws_secret_access_key', 'aws_session_token']);
  });

  it('tells the defaults that differ from those of target-s3', () => {
    expect(properties['add_record_metadata']).toMatchObject({ type: 'boolean', default: true });
    expect(properties['add_record_metadata']!['description']).toContain('_airbyte_raw_id');
    expect(properties['validate_records']).toMatchObject({ default: 'off', title: 'Check records' });
  });
});
