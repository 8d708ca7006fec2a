import { close, fstatSync, open, read } from 'node:fs';
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { configError, messageOf } from '../shared/errors.ts';

/** Where messages come from. A chunk is valid until the next one is asked for: its memory is used again. */
export type Input = {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Ends the input, also while a chunk is waited for, so that the process can end. */
  readonly close: () => void;
};

const FILE_CHUNK_BYTES = 512 * 1024;
/** What a pipe holds. */
const PIPE_CHUNK_BYTES = 64 * 1024;

/** The file that was named, or what stands behind a file descriptor (0 is standard input). */
export async function openInput(from: string | number): Promise<Input> {
  if (typeof from === 'string') {
    const file = await openFile(from);
    if (!fstatSync(file).isDirectory()) return fromFile(file);
    close(file);
    throw configError(`--input ${from}: is a folder; name a file`, { code: 'BAD_FILE' });
  }
  const stat = fstatSync(from);
  if (stat.isFIFO() || stat.isSocket()) return fromPipe(from);
  if (isatty(from)) return { chunks: process.stdin, close: () => void process.stdin.destroy() };
  return fromFile(from);
}

async function openFile(path: string): Promise<number> {
  try {
    return await promisify(open)(path, 'r');
  } catch (cause) {
    throw configError(`--input ${path}: ${messageOf(cause)}`, { code: 'BAD_FILE', cause });
  }
}

function fromFile(file: number): Input {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(FILE_CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await promisify(read)(file, buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  }
  return {
    chunks: chunks(),
    close: () => {
      if (file > 2) close(file);
    },
  };
}

/**
 * A pipe is not read as a file is: that would keep a thread waiting where a stop could not reach it. One buffer
 * instead of a new one for each chunk halves the memory of a run.
 */
function fromPipe(fd: number): Input {
  const buffer = Buffer.allocUnsafeSlow(PIPE_CHUNK_BYTES);
  let filled = 0;
  let ended = false;
  let problem: Error | undefined;
  let wake = (): void => undefined;
  const options: SocketConstructorOpts & ConnectOpts = {
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (bytes) => {
        filled = bytes;
        wake();
        return false; // no more until the next chunk is asked for
      },
    },
  };
  const socket = new Socket(options);
  const end = (error?: Error): void => {
    ended = true;
    problem ??= error;
    wake();
  };
  socket.once('end', () => end());
  socket.once('error', end);
  socket.once('close', () => end());
  socket.pause();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      filled = 0;
      socket.resume();
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (ended || filled > 0) resolve();
      });
      if (filled > 0) yield buffer.subarray(0, filled);
      else if (problem !== undefined) throw problem;
      else if (ended) return;
    }
  }
  return { chunks: chunks(), close: () => void socket.destroy() };
}
