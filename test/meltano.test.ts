import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pluginDefinition, pluginNames, projectFile } from '../examples/meltano-definition.ts';
import { ROOT } from './support/programs.ts';

it.each([
  ...pluginNames.map((name) => [`${name}.yml`, pluginDefinition(name)] as const),
  ['meltano.yml', projectFile()] as const,
])('%s is made of the present settings (UPDATE=1 writes it)', (name, text) => {
  const path = join(ROOT, 'examples/meltano', name);
  if (process.env['UPDATE'] === '1') writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
});
