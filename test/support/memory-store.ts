import type { Store, StoredObject } from '../../src/target/stores/store.ts';

export type Operation = { readonly name: 'write' | 'finish' | 'replace'; readonly key: string };

/**
 * What happens to the n-th operation (from 1): it works, it fails and has no effect, it takes effect but fails, or
 * the process is gone from there on (nothing takes effect or returns any more).
 */
export type Fate = 'works' | 'fails' | 'answer lost' | 'gone';

export type MemoryStore = Store & {
  readonly objects: Map<string, Uint8Array>;
  readonly operations: Operation[];
};

/** A store in a map. `fate` decides about each operation; `pause` delays it. */
export function memoryStore(
  options: {
    readonly objects?: Map<string, Uint8Array>;
    readonly partBytes?: number;
    readonly fate?: (operation: Operation, n: number) => Fate;
    readonly pause?: (operation: Operation, n: number) => Promise<void>;
  } = {},
): MemoryStore {
  const objects = options.objects ?? new Map<string, Uint8Array>();
  const operations: Operation[] = [];
  let gone = false;
  const perform = async (operation: Operation, effect: () => void): Promise<void> => {
    const n = operations.push(operation);
    await options.pause?.(operation, n);
    const fate = options.fate?.(operation, n) ?? 'works';
    if (fate === 'gone') gone = true;
    if (gone) await new Promise(() => undefined);
    if (fate === 'fails') throw new Error(`${operation.name} ${operation.key} fails`);
    effect();
    if (fate === 'answer lost') throw new Error(`${operation.name} ${operation.key}: no answer`);
  };
  return {
    name: 'memory',
    partBytes: options.partBytes ?? 1024,
    objects,
    operations,
    create: (key) => {
      const parts: Uint8Array[] = [];
      return {
        write: (part) => perform({ name: 'write', key }, () => parts.push(Uint8Array.from(part))),
        finish: (rest) =>
          perform({ name: 'finish', key }, () => {
            if (objects.has(key)) throw new Error(`${key} exists`);
            objects.set(key, Buffer.concat([...parts, rest]));
          }),
        abort: () => Promise.resolve(),
      };
    },
    replace: (key, bytes) =>
      perform({ name: 'replace', key }, () => objects.set(key, Uint8Array.from(bytes))),
    get: (key) => Promise.resolve(objects.get(key)),
    list: async function* (prefix): AsyncGenerator<StoredObject> {
      for (const key of [...objects.keys()].toSorted())
        if (key.startsWith(prefix)) yield { key, bytes: objects.get(key)!.length, modifiedAt: 0 };
    },
    folders: async function* (prefix) {
      const below = [...objects.keys()].filter((key) => key.startsWith(prefix));
      yield* new Set(
        below
          .map((key) => key.slice(prefix.length).split('/'))
          .flatMap((parts) => (parts.length > 1 ? [parts[0]!] : [])),
      );
    },
    leftovers: async function* () {
      // What is not finished leaves nothing behind here.
    },
    clockAhead: () => undefined,
    remove: (key) => {
      objects.delete(key);
      return Promise.resolve();
    },
  };
}
