import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LineWriter } from '../../src/shared/lines.ts';
import { SharedOutput } from '../../src/shared/shared-output.ts';

/** A reader that takes its time over every piece. */
function slowReader(): { readonly out: LineWriter; readonly read: () => string } {
  const pieces: Buffer[] = [];
  const writable = new Writable({
    highWaterMark: 1,
    write: (piece: Buffer, _encoding, done) => {
      setTimeout(() => {
        pieces.push(Buffer.from(piece));
        done();
      }, 1);
    },
  });
  return { out: new LineWriter(writable), read: () => Buffer.concat(pieces).toString() };
}

describe('the shared output', () => {
  it('tears no line, whoever speaks while the reader is slow', async () => {
    const { out, read } = slowReader();
    const output = new SharedOutput(out);
    const body = Buffer.from('x'.repeat(100_000));
    const enough = new AbortController();
    const chatter = (async () => {
      for (let i = 0; !enough.signal.aborted; i++) {
        output.say(Buffer.from(`aside ${i}\n`));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let i = 0; i < 40; i++) {
      await output.write(Buffer.from(`line ${i} `), body, Buffer.from(' end\n'));
      if (i % 5 === 0) await output.flush();
    }
    enough.abort();
    await chatter;
    await output.end();
    const lines = read().trimEnd().split('\n');
    const of = (word: string): string[] => lines.filter((line) => line.startsWith(word));
    expect(of('line')).toEqual(Array.from({ length: 40 }, (_, i) => `line ${i} ${String(body)} end`));
    expect(of('aside').length).toBeGreaterThan(40);
    expect(of('aside')).toEqual(of('aside').map((_, i) => `aside ${i}`));
    expect(of('line').length + of('aside').length).toBe(lines.length);
  });

  it('lets an aside leave while the run is silent', async () => {
    const { out, read } = slowReader();
    const output = new SharedOutput(out);
    await output.write(Buffer.from('line\n'));
    output.say(Buffer.from('aside\n'));
    await expect.poll(read).toBe('line\naside\n');
  });

  it('says when a line has left, also while the run is writing', async () => {
    const { out, read } = slowReader();
    const output = new SharedOutput(out);
    const writing = output.write(Buffer.from('x'.repeat(600_000)), Buffer.from('\n'));
    await output.tell(Buffer.from('told\n'));
    expect(read().endsWith('x\ntold\n')).toBe(true);
    await writing;
  });

  it('tells the run, not the one who spoke, that the reader is gone', async () => {
    const writable = new Writable({ write: (_piece, _encoding, done) => done(new Error('gone')) });
    writable.on('error', () => undefined);
    const output = new SharedOutput(new LineWriter(writable));
    output.say(Buffer.from('aside\n'));
    await new Promise((resolve) => setImmediate(resolve));
    await output.write(Buffer.from('line\n'));
    await expect(output.flush()).rejects.toThrow('gone');
    await expect(output.tell(Buffer.from('told\n'))).rejects.toThrow('gone');
  });
});
