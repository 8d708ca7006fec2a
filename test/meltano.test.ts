import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pluginDefinition, pluginNames } from '../examples/meltano-definition.ts';
import { ROOT } from './support/programs.ts';

it.each(pluginNames)('the definition of %s is made of the present settings (UPDATE=1 writes it)', (name) => {
  const path = join(ROOT, 'examples/meltano', `${name}.yml`);
  if (process.env['UPDATE'] === '1') writeFileSync(path, pluginDefinition(name));
  expect(readFileSync(path, 'utf8')).toBe(pluginDefinition(name));
});
