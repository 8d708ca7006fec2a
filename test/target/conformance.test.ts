import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describe as told } from '../../src/shared/errors.ts';
import { commitsIn } from '../support/lake.ts';
import { memoryStore } from '../support/memory-store.ts';
import { ROOT } from '../support/programs.ts';
import { runTarget } from '../support/target-run.ts';
import { EXPECTED } from './conformance-table.ts';

const FOLDER = join(ROOT, '../shared/conformance/singer');
const files = existsSync(FOLDER)
  ? readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
      (path) => /\.(singer|json)$/.test(path) && !path.startsWith('schemas/'),
    )
  : [];
const skipped = files.length === 0 ? '; skipped: not beside this folder' : '';

describe.skipIf(files.length === 0)(
  `inputs of other targets (../shared/conformance/singer${skipped})`,
  () => {
    it.each(files.toSorted())('%s', async (path) => {
      const store = memoryStore();
      const { states, error } = await runTarget(store, [readFileSync(join(FOLDER, path), 'utf8')]);
      const objects = commitsIn(store.objects).flatMap((commit) => commit.objects);
      const rows = objects.reduce((sum, object) => sum + object.rows, 0);
      const { error: words, ...counts } = EXPECTED[path]!;
      expect({ rows, states: states.length }).toEqual(counts);
      if (words === undefined) expect(error).toBeUndefined();
      else expect(told(error)).toContain(words);
    });

    it('are all in the table', () => {
      expect(Object.keys(EXPECTED).toSorted()).toEqual(files.toSorted());
    });
  },
);
