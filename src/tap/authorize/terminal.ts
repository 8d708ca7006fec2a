import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Terminal } from './context.ts';

export type StreamOptions = Pick<Terminal, 'say' | 'open' | 'interactive'> & { readonly input: Readable };

/** The person at the other end of the standard streams; lines that come before they are asked for are kept. */
export function terminalOn({ input, ...rest }: StreamOptions): Terminal {
  let lines: AsyncIterator<string> | undefined;
  return {
    ...rest,
    ask: async (question, signal) => {
      await rest.say(question);
      signal.throwIfAborted();
      lines ??= createInterface({ input })[Symbol.asyncIterator]();
      const line = lines.next();
      const stopped = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
      const { done, value } = await Promise.race([line, stopped]);
      return done === true ? undefined : value;
    },
  };
}
