import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { ROOT } from '../test/support/programs.ts';
import type { Flavour } from '../test/support/jira/model.ts';

/** A simulated Jira in a process of its own. */
export type JiraProcess = {
  readonly url: string;
  /** The configuration of a tap that reads it. */
  readonly config: object;
  readonly [Symbol.dispose]: () => void;
};

/** Starts one with so many issues of about so many bytes; it keeps rendered issues up to `cacheBytes`. */
export async function startJiraProcess(
  flavour: Flavour,
  issues: number,
  issueBytes: number,
  cacheBytes: number,
): Promise<JiraProcess> {
  const options = { flavour, issues, 'issue-bytes': issueBytes, 'cache-bytes': cacheBytes };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [join(ROOT, 'dist/test/support/jira/main.js'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, config } = JSON.parse(line) as { url: string; config: object };
    return { url, config, [Symbol.dispose]: () => void child.kill() };
  }
  throw new Error('the simulated Jira did not start');
}
