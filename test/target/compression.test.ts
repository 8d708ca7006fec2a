import fc from 'fast-check';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gzip, none, type Compression } from '../../src/target/formats/compression.ts';

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
