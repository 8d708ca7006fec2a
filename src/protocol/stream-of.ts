/** The name is looked for in so much of a line. */
const MOST_BYTES = 4096;

/**
 * The stream that a line names before anything it carries, for lines that cannot be read: a guess, undefined where
 * there is none.
 */
export function streamOf(line: Uint8Array): string | undefined {
  const start = Buffer.from(line.subarray(0, MOST_BYTES)).toString();
  const head = start.split(/"(?:record|schema)"\s*:/, 1)[0]!;
  const name = /"stream"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(head)?.[1];
  try {
    return name === undefined ? undefined : (JSON.parse(name) as string);
  } catch {
    return undefined;
  }
}
