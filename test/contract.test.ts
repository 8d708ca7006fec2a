import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/shared/json/value.ts';
import { loadSchemas } from '../src/tap/schemas.ts';
import { connectorSpecification } from '../src/tap/spec.ts';
import { streamNames, streams } from '../src/tap/streams.ts';

const SPEC = new URL('../spec.json', import.meta.url);

describe('what is published', () => {
  it('has a spec.json made of the present settings (UPDATE=1 writes it)', () => {
    const text = `${JSON.stringify(connectorSpecification(), null, 2)}\n`;
    if (process.env['UPDATE'] === '1') writeFileSync(SPEC, text);
    expect(JSON.parse(readFileSync(SPEC, 'utf8'))).toEqual(JSON.parse(text));
  });

  it.each(streamNames)('has a schema for stream %s that declares its keys and its cursor', (name) => {
    const properties = loadSchemas()[name]!['properties'] as JsonObject;
    const row: { readonly keyProperties: readonly string[]; readonly replicationKey?: string } =
      streams[name];
    for (const key of [
      ...row.keyProperties,
      ...(row.replicationKey === undefined ? [] : [row.replicationKey]),
    ]) {
      expect(properties).toHaveProperty([key]);
    }
    for (const key of row.keyProperties) expect(properties[key]).toMatchObject({ type: 'string' });
    for (const property of Object.keys(properties)) expect(property).toMatch(/^\w+$/);
  });
});
