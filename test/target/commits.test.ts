import { expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { Commits } from '../../src/target/commits.ts';
import { memoryStore } from '../support/memory-store.ts';

it('a slow store holds up the input after a few STATEs that are large', async () => {
  let go = (): void => undefined;
  const wait = new Promise<void>((resolve) => {
    go = resolve;
  });
  const printed: number[] = [];
  const commits = new Commits({
    store: memoryStore({ pause: () => wait }),
    prefix: '',
    runId: 'run',
    program: 'test',
    now: () => 0,
    print: async (state) => void printed.push(state[0]!),
    failed: () => undefined,
    check: () => undefined,
  });
  let taken = 0;
  const pushAll = async (): Promise<void> => {
    for (let i = 0; i < 8; i++) {
      await commits.push({ objects: [], state: Buffer.alloc(7 * 1024 * 1024, 0x30 + i), rowsAfterState: 0 });
      taken++;
    }
  };
  const pushed = pushAll();
  await delay(50);
  expect(taken).toBe(2);
  go();
  await pushed;
  await commits.drain();
  expect(printed).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => 0x30 + i));
});
