import { readFileSync } from 'node:fs';
import type { JsonObject } from '../shared/json/value.ts';
import { streamNames } from './streams.ts';

/** The package's root, seen from `dist/src/tap` as well as from `src/tap`. */
const ROOTS = ['../../../', '../../'];

/** The JSON Schema of every stream, from `schemas/<stream>.json` of this package. */
export function loadSchemas(): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(
    streamNames.map((name) => [name, JSON.parse(readPackaged(`schemas/${name}.json`)) as JsonObject]),
  );
}

function readPackaged(path: string): string {
  for (const root of ROOTS) {
    try {
      return readFileSync(new URL(root + path, import.meta.url), 'utf8');
    } catch {
      // not this one
    }
  }
  throw new Error(`the package is incomplete: ${path} is missing`);
}
