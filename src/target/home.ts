import { runKey } from './key.ts';
import { commitKeys } from './last-state.ts';
import type { Store } from './stores/store.ts';

/** Tells whether a run belongs to this prefix, from a key of it. */
export type Home = { readonly isHere: (runId: string, key: string) => Promise<boolean> };

/**
 * Templates and prefixes may be chosen so that keys of one prefix look like those of another. A run that this prefix
 * knows nothing of belongs elsewhere if a folder on the way to its object does.
 */
export function homeOf(store: Store, prefix: string): Home {
  const asked = new Map<string, boolean>();
  const isKnown = async (folder: string, runId: string): Promise<boolean> => {
    const question = `${folder}/${runId}`;
    let answer = asked.get(question);
    if (answer === undefined) {
      answer = (await commitKeys(store, folder, runId)).length > 0 || (await hasSign(store, folder, runId));
      asked.set(question, answer);
    }
    return answer;
  };
  return {
    isHere: async (runId, key) => {
      if (await isKnown(prefix, runId)) return true;
      const parts = key.split('/');
      for (const i of parts.keys()) {
        const folder = parts.slice(0, i).join('/');
        // Above the prefix we may not be allowed to look.
        if (await isKnown(folder, runId).catch(() => false)) return false;
      }
      return true;
    },
  };
}

async function hasSign(store: Store, folder: string, runId: string): Promise<boolean> {
  for await (const { key } of store.list(runKey(folder, runId)))
    if (key === runKey(folder, runId)) return true;
  return false;
}
