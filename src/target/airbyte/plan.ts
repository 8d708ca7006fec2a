import type { DestinationLines } from '../../protocol/airbyte-destination.ts';
import type { ObjectGeneration } from '../commit-record.ts';
import type { Config } from '../config.ts';
import { removeEarlier, type Generation } from '../generation.ts';
import type { Plan } from '../plan.ts';
import { finish } from '../steps.ts';
import type { Load } from './catalog.ts';
import { airbyteColumns } from './columns.ts';

/** Every state has to be kept until it is said back. */
const MOST_STATE_BYTES = 8 * 1024 * 1024;

/**
 * Loads what a configured catalog describes. Rows are committed as they come; those of a stream that is truncated
 * wait there for the commit that puts them in place of all others, at the end, if the stream was called complete.
 */
export function airbytePlan(
  config: Config,
  generation: Generation,
  loads: readonly Load[],
  lines: DestinationLines,
): Plan {
  const byId = new Map(loads.map((load) => [load.id, load]));
  return {
    known: loads.map(({ schema }) => schema),
    addMetadata: config.add_record_metadata ? airbyteColumns((stream) => byId.get(stream)!) : undefined,
    generations: new Map(loads.map((load) => [load.id, generationOf(load, generation.runId)])),
    once: false,
    mostStateBytes: MOST_STATE_BYTES,
    onRejected: (stream) => lines.states.reject(stream),
    end: async (context, _, succeeded) => {
      await finish(context);
      if (!succeeded || context.stop.aborted) return;
      const complete = loads.filter(({ id, truncates }) => truncates && !lines.incomplete.has(id));
      if (complete.length === 0) return;
      const replacing = {
        replaces: complete.map(({ id }) => id),
        generations: new Map(complete.map((load) => [load.id, nameOf(load, generation.runId)])),
      };
      await context.commits.push({ objects: [], state: undefined, rowsAfterState: 0, ...replacing });
      await context.commits.drain();
      await removeEarlier(generation, replacing, context.log);
    },
  };
}

function generationOf(load: Load, runId: string): ObjectGeneration {
  return { generation: nameOf(load, runId), ...(load.truncates ? { pending: true } : {}) };
}

/** A load that is not gone on with is one of its run. */
function nameOf({ truncates, resumes, generationId }: Load, runId: string): string {
  return truncates && !resumes ? runId : String(generationId);
}
