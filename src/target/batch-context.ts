import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { ObjectGeneration } from './commit-record.ts';
import type { Compression } from './formats/compression.ts';
import type { Format } from './formats/format.ts';
import type { AddMetadata } from './metadata.ts';
import type { WriterContext } from './object-writer.ts';
import type { Paths } from './path.ts';
import type { Store } from './stores/store.ts';

/** Why an object was closed; the words are for the log. */
export type Reason =
  | 'rows'
  | 'bytes'
  | 'memory'
  | 'schema change'
  | 'header change'
  | 'open objects'
  | 'commit'
  | 'wait'
  | 'end of input'
  | 'stop';

export type BatchContext = WriterContext & {
  readonly store: Store;
  readonly prefix: string;
  readonly paths: Paths;
  readonly runId: string;
  readonly format: Format;
  readonly compression: Compression;
  readonly addMetadata: AddMetadata | undefined;
  /** What the commit records of a stream's objects say of its generation. */
  readonly generations: ReadonlyMap<string, ObjectGeneration>;
  readonly rowLimit: number;
  readonly byteLimit: number;
  readonly memoryLimit: number;
  /** Objects that may be open at one time. */
  readonly openLimit: number;
  readonly clock: Clock;
  readonly log: Log;
};
