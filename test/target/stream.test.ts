import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { toStream } from '../../src/target/stream.ts';

/** A schema as it comes: every property in objects of its own. */
const schema = (stream: number): JsonObject => {
  const properties = Array.from({ length: 50 }, (_, i) => [
    `s${stream}_p${i}`,
    { anyOf: [{ type: 'string', maxLength: 255 }, { type: 'null' }], description: `of ${stream} ${i}` },
  ]);
  return { type: 'object', properties: Object.fromEntries(properties) as JsonObject };
};

it('a stream of 50 properties takes about 10 KB', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage();
  const streams = Array.from({ length: 2000 }, (_, i) =>
    toStream({ type: 'schema', stream: `s${i}`, schema: schema(i), keyProperties: [] }),
  );
  collect();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
  expect(bytes / streams.length).toBeLessThan(20_000);
  expect(streams[7]!.check(Buffer.from('{"s7_p3":1}'))).toMatchObject([{ path: '/s7_p3' }]);
  expect(streams[7]!.check(Buffer.from('{"s7_p3":"x","s8_p3":1}'))).toEqual([]);
});
