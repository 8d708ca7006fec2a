import fc from 'fast-check';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describe as told } from '../../src/shared/errors.ts';
import { parseConfig } from '../../src/shared/config.ts';
import { Config } from '../../src/target/config.ts';
import { gzip, hasZstd, none, zstd, type Compression } from '../../src/target/formats/compression.ts';
import { dataKeys } from '../support/lake.ts';
import { memoryStore } from '../support/memory-store.ts';
import { recordLine, runTarget, schemaLine, stateLine } from '../support/target-run.ts';

const { gunzipSync } = zlib;

type Unpacked = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
const { zstdDecompressSync } = zlib as {
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { readonly info: true }) => Unpacked;
};

/** All frames; Node unpacks one at a time. */
function unpackFrames(bytes: Uint8Array): Buffer {
  const texts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const { buffer, engine } = zstdDecompressSync!(bytes.subarray(at), { info: true });
    texts.push(buffer);
    at += engine.bytesWritten;
  }
  return Buffer.concat(texts);
}

async function compress(compression: Compression, blocks: readonly Uint8Array[]): Promise<Buffer> {
  const compressor = compression.begin();
  const pieces = await Promise.all(blocks.map((block) => compressor.block(block)));
  return Buffer.concat([...pieces, compressor.end()]);
}

const members = (bytes: Buffer): number => {
  let count = 0;
  for (let at = bytes.indexOf('1f8b08', 'hex'); at !== -1; at = bytes.indexOf('1f8b08', at + 1, 'hex'))
    count++;
  return count;
};

describe('gzip', () => {
  it('makes one member of blocks that are compressed at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 8 }), async (blocks) => {
        const bytes = await compress(gzip, blocks);
        expect(gunzipSync(bytes).equals(Buffer.concat(blocks))).toBe(true);
      }),
    );
  });

  it('compresses large blocks', async () => {
    const block = Buffer.from('{"id":1,"text":"the quick brown fox"}\n'.repeat(40_000));
    const bytes = await compress(gzip, [block, block, block]);
    expect(gunzipSync(bytes).equals(Buffer.concat([block, block, block]))).toBe(true);
    expect(bytes.length).toBeLessThan(block.length / 20);
    expect(members(bytes)).toBe(1);
  });

  it('notices a changed byte', async () => {
    const bytes = await compress(gzip, [Buffer.from('some text'), Buffer.from('more text')]);
    bytes[bytes.length - 5]! ^= 1;
    expect(() => gunzipSync(bytes)).toThrow();
  });
});

describe('no compression', () => {
  it('hands blocks on', async () => {
    const bytes = await compress(none, [Buffer.from('a'), Buffer.from('b')]);
    expect(bytes.toString()).toBe('ab');
  });
});

describe.runIf(hasZstd)('zstd', () => {
  it('makes one text of blocks that are compressed at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 8 }), async (blocks) => {
        const bytes = await compress(zstd, blocks);
        expect(unpackFrames(bytes).equals(Buffer.concat(blocks))).toBe(true);
      }),
    );
  });

  it('makes objects that end in .zst', async () => {
    const store = memoryStore();
    const rows = Array.from({ length: 3000 }, (_, id) => recordLine('s', { id, text: 'x'.repeat(1000) }));
    const input = [schemaLine('s'), ...rows, stateLine(1)];
    const { states, error } = await runTarget(store, input, { compression: 'zstd' });
    expect({ states, error }).toEqual({ states: ['1'], error: undefined });
    const [key, ...more] = dataKeys(store.objects);
    expect([key!.endsWith('.jsonl.zst'), more]).toEqual([true, []]);
    const lines = unpackFrames(store.objects.get(key!)!).toString().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([...rows.keys()]);
  });
});

describe.skipIf(hasZstd)('a Node without zstd', () => {
  it('says which one has it', () => {
    const settings = { local_path: 'lake', compression: 'zstd' };
    let said = '';
    try {
      parseConfig(Config, settings, () => 't.json');
    } catch (error) {
      said = told(error);
    }
    expect(said).toMatch(/t\.json.*compression.*zstd needs Node 22\.15 or later; choose gzip/);
  });
});
