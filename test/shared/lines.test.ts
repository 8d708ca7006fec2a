import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineWriter, readLines } from '../../src/shared/lines.ts';

async function* chunked(text: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b);
  let start = 0;
  for (const end of [...places, text.length]) {
    const chunk = Buffer.from(text.subarray(start, end));
    yield chunk;
    // As a socket may do with its buffer once the next chunk is asked for.
    chunk.fill(0x21);
    start = end;
  }
}

async function linesOf(source: AsyncIterable<Uint8Array>, max = 1e6): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for await (const { first, lines } of readLines(source, max))
    for (const [i, line] of lines.entries()) found.push([first + i, Buffer.from(line).toString()]);
  return found;
}

describe('readLines', () => {
  it('finds the lines of any text, cut into any chunks', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\r', ' ', '"'), maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.boolean(), fc.array(fc.nat()), async (lines, ended, cuts) => {
        const text = lines.join('\n') + (ended && lines.length > 0 ? '\n' : '');
        const expected = text.split('\n');
        if (expected.at(-1) === '') expected.pop();
        const found = await linesOf(chunked(Buffer.from(text), cuts));
        expect(found).toEqual(expected.map((line, i) => [i + 1, line]));
      }),
    );
  });

  it('refuses a line that is too long by its number, after the lines before it', async () => {
    const cuts = fc.array(fc.nat());
    await fc.assert(
      fc.asyncProperty(cuts, fc.boolean(), async (cuts, ended) => {
        const text = Buffer.from(`short\n12345678\n${'x'.repeat(9)}${ended ? '\nafter\n' : ''}`);
        const seen: string[] = [];
        const read = async (): Promise<void> => {
          for await (const { lines } of readLines(chunked(text, cuts), 8))
            seen.push(...lines.map((line) => Buffer.from(line).toString()));
        };
        await expect(read()).rejects.toMatchObject({
          kind: 'config',
          code: 'LINE_TOO_LONG',
          message: expect.stringMatching(/^line 3: .*max_line_bytes \(8\)/),
        });
        expect(seen).toEqual(['short', '12345678']);
      }),
    );
  });
});

describe('LineWriter', () => {
  it('writes every byte once and in order, in large pieces, however large the parts', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(50), fc.integer({ min: 100_000, max: 600_000 })), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (sizes) => {
        const pieces: Buffer[] = [];
        const slow = new Writable({
          highWaterMark: 16 * 1024,
          write: (chunk: Buffer, _, done) => {
            setImmediate(() => {
              pieces.push(Buffer.from(chunk));
              done();
            });
          },
        });
        const writer = new LineWriter(slow);
        const parts = sizes.map((size, i) => Buffer.alloc(size, 65 + (i % 26)));
        for (const part of parts) {
          const copy = Buffer.from(part);
          await writer.write(copy);
        }
        await writer.end();
        expect(Buffer.concat(pieces).equals(Buffer.concat(parts))).toBe(true);
        expect(pieces.filter(({ length }) => length > 0).length).toBeLessThanOrEqual(parts.length);
      }),
      { numRuns: 25 },
    );
  });

  it('gathers small lines', async () => {
    const sizes: number[] = [];
    const out = new Writable({
      write: (chunk: Buffer, _, done) => {
        sizes.push(chunk.length);
        done();
      },
    });
    const writer = new LineWriter(out);
    for (let i = 0; i < 30_000; i++) await writer.write(Buffer.alloc(9, 'x'), Buffer.from('\n'));
    expect(sizes.length).toBe(1);
    await writer.flush();
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(300_000);
    await writer.flush();
    expect(sizes.length).toBe(2);
  });

  it('waits for a slow reader', async () => {
    const out = new PassThrough({ highWaterMark: 1000 });
    const writer = new LineWriter(out);
    let written = 0;
    const write = (async () => {
      for (let i = 0; i < 20; i++) {
        await writer.write(Buffer.alloc(200_000));
        written++;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(written).toBeLessThan(4);
    out.resume();
    await write;
    expect(written).toBe(20);
  });

  it('fails when the reader is gone, before or while it writes', async () => {
    const broken = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    });
    broken.on('error', () => undefined);
    const writer = new LineWriter(broken);
    await expect(
      (async () => {
        for (let i = 0; i < 5; i++) {
          await writer.write(Buffer.alloc(300_000));
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
    ).rejects.toThrow('EPIPE');
    await expect(writer.end()).rejects.toThrow();
  });
});
