/** One object on its way into a store. Nothing can be seen under its key before `finish` has resolved. */
export type Upload = {
  /**
   * Hands over the next part, which must hold at least `Store.partBytes`. Resolves when the store has room for
   * another one; a failure may show only at a later call.
   */
  readonly write: (part: Uint8Array) => Promise<void>;
  /** Hands over the rest, of any size. Resolves when the whole object is durable; a failure gives it up. */
  readonly finish: (rest: Uint8Array) => Promise<void>;
  /** Removes what was written, as far as possible; never rejects. */
  readonly abort: () => Promise<void>;
};

export type StoredObject = { readonly key: string; readonly bytes: number; readonly modifiedAt: number };

/** An upload that was begun and neither finished nor given up. */
export type Leftover = {
  readonly key: string;
  readonly begunAt: number;
  readonly remove: () => Promise<void>;
};

/** Where objects live. Every failure is a `ConnectorError` that says what was refused and what to do. */
export type Store = {
  /** The store as a user knows it, such as `s3://bucket`. */
  readonly name: string;
  readonly partBytes: number;
  /** Begins an object; `finish` fails if the key exists, where the store can tell. */
  readonly create: (key: string, contentType: string) => Upload;
  /** Writes a small object, in place of an earlier one of the same key. */
  readonly replace: (key: string, bytes: Uint8Array) => Promise<void>;
  readonly get: (key: string) => Promise<Uint8Array | undefined>;
  /** Every object whose key begins with `prefix`, in the order of the keys. */
  readonly list: (prefix: string) => AsyncIterable<StoredObject>;
  /** The names of the folders right below `prefix`, which is empty or ends with a slash. */
  readonly folders: (prefix: string) => AsyncIterable<string>;
  readonly remove: (key: string) => Promise<void>;
  /** Unfinished uploads of keys that begin with `prefix`, whoever began them. */
  readonly leftovers: (prefix: string) => AsyncIterable<Leftover>;
  /** By how much the store's clock was ahead at its last answer, in milliseconds; undefined if it has none. */
  readonly clockAhead: () => number | undefined;
};
