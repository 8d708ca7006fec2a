/** How the rows of an object are written. */
export type Format = {
  /** Such as `.jsonl`. */
  readonly extension: string;
  readonly contentType: string;
  /** The columns an object needs for this record, `known` itself if they are enough; absent without columns. */
  readonly columns?: (record: Uint8Array, known: readonly string[]) => readonly string[];
  /** What an object begins with. */
  readonly header?: (columns: readonly string[]) => Uint8Array;
  /** The pieces of one row: `record` is the pieces of one JSON object. */
  readonly row: (record: readonly Uint8Array[], columns: readonly string[]) => readonly Uint8Array[];
};
