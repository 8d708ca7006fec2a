import type { Clock } from '../shared/clock.ts';
import { beginLife } from './alive.ts';
import { newRunId } from './key.ts';
import type { Store } from './stores/store.ts';

/** Proves that objects can be written, by writing the one that says a run is alive. Throws what is wrong. */
export async function checkStore(store: Store, prefix: string, clock: Clock): Promise<void> {
  const life = await beginLife(store, prefix, newRunId(clock), clock);
  await life.end();
}
