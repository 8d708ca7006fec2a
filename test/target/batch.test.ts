import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Slots } from '../../src/shared/slots.ts';
import { Batch } from '../../src/target/batch.ts';
import { Blocks } from '../../src/target/blocks.ts';
import { gzip } from '../../src/target/formats/compression.ts';
import { Memory } from '../../src/target/memory.ts';
import { ObjectWriter } from '../../src/target/object-writer.ts';
import { memoryStore } from '../support/memory-store.ts';

const memory = new Memory();
const store = memoryStore();
const blocks = new Blocks();
let number = 0;

function open(): Batch {
  const context = { room: new Slots(2), blocks, memory, partBytes: store.partBytes, failed: () => undefined };
  const key = `object${++number}`;
  const writer = new ObjectWriter(store.create(key, ''), gzip.begin(), context);
  return new Batch(
    { key, slot: 's', stream: 's', schema: '', begunAt: 0, folders: [], columns: [], rejected: false },
    writer,
    memory,
    blocks,
    1 << 30,
  );
}

async function finish(batch: Batch): Promise<string> {
  await batch.seal();
  const { bytes } = await batch.writer.finish();
  const object = store.objects.get(batch.info.key)!;
  expect(object).toHaveLength(bytes);
  return gunzipSync(object).toString();
}

const row = (text: string): Uint8Array[] => [Buffer.from(text), Buffer.from('\n')];

describe('a batch', () => {
  it('holds its rows in order, whatever their size', async () => {
    const batch = open();
    const rows = Array.from({ length: 200 }, (_, i) => String(i).repeat(1 + ((i * 7919) % 30_000)));
    for (const text of rows) await batch.add(row(text), 0);
    expect(batch.rows).toBe(200);
    expect(await finish(batch)).toBe(rows.map((text) => `${text}\n`).join(''));
    expect(memory.bytes).toBe(0);
  });

  it('gives back the rows of an era', async () => {
    const batch = open();
    await batch.add(row('a'), 0);
    await batch.add(row('b'), 1);
    await batch.add(row('c'), 1);
    expect(batch.canSplit(1)).toBe(true);
    expect(batch.split(0)).toBeUndefined();
    const rest = batch.split(1)!;
    expect(rest.rows).toBe(2);
    expect(batch.rows).toBe(1);
    const other = open();
    await other.addRest(rest, 1);
    await other.add(row('d'), 1);
    expect(other.isOnly(1)).toBe(true);
    expect(await finish(batch)).toBe('a\n');
    expect(other.rows).toBe(3);
    expect(await finish(other)).toBe('b\nc\nd\n');
  });

  it('cannot give back rows that have left', async () => {
    const batch = open();
    const large = 'x'.repeat(800_000);
    await batch.add(row(large), 0);
    await batch.add(row(large), 1);
    expect(batch.canSplit(1)).toBe(true);
    await batch.add(row(large), 1);
    expect(batch.canSplit(1)).toBe(false);
    await batch.add(row('y'), 2);
    expect(batch.canSplit(2)).toBe(true);
    expect(batch.split(2)).toMatchObject({ rows: 1 });
    expect(await finish(batch)).toHaveLength(3 * 800_001);
  });

  it('tells how much memory it holds', async () => {
    const batch = open();
    expect(memory.bytes).toBe(batch.held);
    await batch.add(row('x'.repeat(10_000)), 0);
    expect(batch.held).toBeGreaterThan(10_000);
    expect(memory.bytes).toBe(batch.held);
    await batch.abort();
    expect(memory.bytes).toBe(0);
  });
});
