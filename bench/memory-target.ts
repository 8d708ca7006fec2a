// The largest resident memory of target-s3 under loads that are hard on it. Prints; judges nothing.
//
//   npm run bench:memory-target -- [--megabytes 1500] [LOAD...]
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Scratch } from '../test/support/programs.ts';
import { startTarget } from '../test/support/target-process.ts';

type Load = {
  readonly streams: number;
  readonly partitions: number;
  readonly recordBytes: number;
  readonly settings: object;
};

const MIB = 1024 * 1024;
const LOADS: Readonly<Record<string, Load>> = {
  'one stream, defaults': { streams: 1, partitions: 1, recordBytes: 5000, settings: {} },
  '200 streams x 50 partitions, 256 MB cap': {
    streams: 200,
    partitions: 50,
    recordBytes: 5000,
    settings: { partition_by: ['part'], max_memory_bytes: 256 * MIB },
  },
  '10,000 streams': { streams: 10_000, partitions: 1, recordBytes: 1000, settings: {} },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { megabytes: { type: 'string', default: '1500' } },
});

for (const [name, load] of Object.entries(LOADS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const { peak, code, seconds, last } = await run(load, Number(values.megabytes) * MIB);
  console.log(`${name}: peak ${peak} MB; ${seconds.toFixed(0)} s; exit code ${code}; ${last}`);
}

async function run(
  { streams, partitions, recordBytes, settings }: Load,
  bytes: number,
): Promise<{
  readonly peak: number;
  readonly code: number;
  readonly seconds: number;
  readonly last: string;
}> {
  await using scratch = await Scratch.open();
  await scratch.write('t.json', { local_path: 'lake', ...settings });
  const target = startTarget(['-c', 't.json'], { cwd: scratch.path });
  const begun = Date.now();
  let peak = 0;
  const look = async (): Promise<void> => {
    const status = await readFile(`/proc/${target.child.pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  };
  const timer = setInterval(() => void look(), 100);
  for (const piece of input(streams, partitions, recordBytes, bytes))
    if (!target.stdin.write(piece)) await Promise.race([once(target.stdin, 'drain'), target.ended]);
  target.stdin.end();
  const { code, stderr } = await target.ended;
  clearInterval(timer);
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return { peak: Math.round(peak / 1024), code, seconds: (Date.now() - begun) / 1000, last };
}

/** Records of random streams and partitions, about half of whose bytes are left when they are compressed. */
function* input(streams: number, partitions: number, recordBytes: number, bytes: number): Generator<string> {
  const texts = Array.from({ length: 500 }, () => randomText(recordBytes));
  for (let stream = 0; stream < streams; stream++)
    yield `{"type":"SCHEMA","stream":"s${stream}","schema":{"properties":{"id":{"type":"integer"}}},"key_properties":["id"]}\n`;
  let piece = '';
  for (let id = 0, sent = 0; sent < bytes; id++, sent += recordBytes) {
    const stream = Math.floor(Math.random() * streams);
    const part = Math.floor(Math.random() * partitions);
    piece += `{"type":"RECORD","stream":"s${stream}","record":{"id":${id},"part":"p${part}","text":"${texts[id % texts.length]}"}}\n`;
    if (id % 20_000 === 19_999) piece += `{"type":"STATE","value":{"id":${id}}}\n`;
    if (piece.length < 60_000) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}{"type":"STATE","value":"end"}\n`;
}

function randomText(length: number): string {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2, 10);
  return text.slice(0, length);
}
