import type { SchemaMessage } from '../protocol/message.ts';
import type { ObjectGeneration } from './commit-record.ts';
import type { Config } from './config.ts';
import { finishGeneration, type Generation } from './generation.ts';
import { withMetadata, type AddMetadata } from './metadata.ts';
import { finish } from './steps.ts';
import type { WriteContext } from './write.ts';

/** How a run loads its streams; what the protocol of the input decides. */
export type Plan = Pick<WriteContext, 'end' | 'once' | 'onRejected'> & {
  /** Streams that the input does not describe itself. */
  readonly known: readonly SchemaMessage[];
  readonly addMetadata: AddMetadata | undefined;
  readonly generations: ReadonlyMap<string, ObjectGeneration>;
  /** See `Ledger`. */
  readonly mostStateBytes?: number;
};

/** Loads a Singer input as `load_method` says. */
export function singerPlan(config: Config, generation: Generation): Plan {
  const once = config.load_method === 'overwrite';
  return {
    known: [],
    addMetadata: config.add_record_metadata ? withMetadata : undefined,
    generations: new Map(),
    once,
    end: once
      ? (context, contents, succeeded) => finishGeneration(context, generation, contents, succeeded)
      : finish,
  };
}
