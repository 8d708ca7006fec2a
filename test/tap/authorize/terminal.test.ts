import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { terminalOn } from '../../../src/tap/authorize/terminal.ts';

it('asks for line after line, keeps those that came early, and knows the end', async () => {
  const input = new PassThrough();
  let said = '';
  const terminal = terminalOn({
    input,
    say: async (text) => void (said += text),
    interactive: true,
    open: async () => false,
  });
  const { signal } = new AbortController();
  input.write('first\r\nsec');
  expect(await terminal.ask('One? ', signal)).toBe('first');
  const second = terminal.ask('Two? ', signal);
  input.end('ond\nlast');
  expect(await second).toBe('second');
  expect(await terminal.ask('Three? ', signal)).toBe('last');
  expect(await terminal.ask('Four? ', signal)).toBeUndefined();
  expect(said).toBe('One? Two? Three? Four? ');
});

it('stops asking when it is told to', async () => {
  const stop = new AbortController();
  const terminal = terminalOn({
    input: new PassThrough(),
    say: async () => undefined,
    interactive: true,
    open: async () => false,
  });
  const answer = terminal.ask('?', stop.signal);
  stop.abort(new Error('stopped'));
  await expect(answer).rejects.toThrow('stopped');
  await expect(terminal.ask('?', stop.signal)).rejects.toThrow('stopped');
});
