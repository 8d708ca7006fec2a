import { asyncProperty, check } from 'fast-check';
import { startJira } from '../support/jira/server.ts';
import { Site } from '../support/jira/site.ts';
import { play, scenario } from './model.ts';

/*
 * Random histories for as long as wanted, in lots of their own seed: `MODEL_RUNS` histories, beginning with the
 * seed `MODEL_SEED`. Each lot prints the line that plays it again; the first one that loses a change ends it.
 */
const LOT = 250;
const runs = Number(process.env['MODEL_RUNS'] ?? 20_000);
const first = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

const jira = await startJira({ flavour: 'cloud', site: new Site() });
const began = performance.now();
const print = (text: string): void => void process.stdout.write(`${text}\n`);

for (let done = 0; done < runs; done += LOT) {
  const seed = (first + done / LOT) % 2 ** 31;
  const numRuns = Math.min(LOT, runs - done);
  const lost = new Map<string, readonly string[]>();
  const result = await check(
    asyncProperty(scenario, async (history) => {
      const problems = await play(jira, history);
      if (problems.length > 0) lost.set(JSON.stringify(history), problems);
      return problems.length === 0;
    }),
    { numRuns, seed },
  );
  const again = `MODEL_SEED=${seed} MODEL_RUNS=${numRuns}`;
  if (result.failed) {
    const shortest = [...lost].reduce(
      (a, b) => (b[0].length < a[0].length ? b : a),
      [...lost][0] ?? ['?', []],
    );
    print(`${again} lost a change:\n${shortest[1].join('\n')}\n${shortest[0]}`);
    process.exitCode = 1;
    break;
  }
  const perSecond = ((done + numRuns) / (performance.now() - began)) * 1000;
  print(`${again} lost nothing (${done + numRuns} of ${runs}, ${perSecond.toFixed(0)} a second)`);
}
await jira.close();
