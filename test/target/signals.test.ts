import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scratch } from '../support/programs.ts';
import { startTarget } from '../support/target-process.ts';
import { recordLine, schemaLine, stateLine } from '../support/target-run.ts';

const SLOW_MS = 300;

/** A store that takes its time with every object and keeps only their names. */
describe('target-s3, with a slow store', () => {
  let scratch: Scratch;
  let server: Server;
  let written: string[];
  let asked: (path: string) => void;
  beforeEach(async () => {
    scratch = await Scratch.open();
    written = [];
    asked = () => undefined;
    server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://s3').pathname;
      request.resume();
      request.once('end', () => {
        asked(path);
        setTimeout(() => {
          if (request.method === 'PUT') written.push(path);
          response.end();
        }, SLOW_MS);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await scratch.write('t.json', {
      s3_bucket: 'lake',
      aws_endpoint_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      aws_access_key_id: 'id',
      aws_secret_access_key: 'secret',
    });
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await scratch[Symbol.asyncDispose]();
  });

  it.each([
    ['SIGTERM', 'SIGTERM', 0],
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGINT', 0],
  ] as const)(
    '%s, then %s while it commits: the commit is made, exit code %i',
    async (first, second, code) => {
      const target = startTarget(['-c', 't.json'], { cwd: scratch.path });
      let began = (): void => undefined;
      const reading = new Promise<void>((resolve) => (began = resolve));
      asked = (path) => {
        if (path.includes('/_runs/')) began();
        // The object and the commit record are on their way, one after the other.
        if (path.includes('/s/') || path.includes('/_commits/')) target.child.kill(second);
      };
      target.stdin.write(
        schemaLine('s') + recordLine('s', { id: 1 }) + stateLine(1) + recordLine('s', { id: 2 }),
      );
      await reading;
      await sleep(2 * SLOW_MS); // until the lines are read
      target.child.kill(first);
      const ended = await target.ended;
      expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: '1\n' });
      const kinds = written.map((path) => path.split('/')[2]);
      expect(kinds).toEqual(['_runs', 's', '_commits']);
      expect(ended.stderr).toContain('1 rows after the last STATE are left out');
    },
  );
});
