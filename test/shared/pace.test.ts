import { describe, expect, it } from 'vitest';
import { allowanceOf, Pace } from '../../src/shared/http/pace.ts';
import type { HttpRequest, HttpResponse, Send } from '../../src/shared/http/request.ts';
import { movingClock, type MovingClock } from '../support/moving-clock.ts';

const NEVER = new AbortController().signal;
const request = (path = '/rest/api/2/search'): HttpRequest => ({
  method: 'POST',
  url: `http://jira.example${path}`,
  headers: {},
});
const response = (status: number, headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers: new Headers(headers),
  body: Buffer.from('{}'),
});

describe('what an answer says of limits', () => {
  it.each<[string, Record<string, string>, object | undefined]>([
    ['nothing', {}, undefined],
    [
      'a bucket of Data Center',
      {
        'x-ratelimit-remaining': '7',
        'x-ratelimit-limit': '20',
        'x-ratelimit-fillrate': '5',
        'x-ratelimit-interval-seconds': '10',
      },
      { remaining: 7, limit: 20, refillMs: 2000, lotMs: 10_000 },
    ],
    [
      'RateLimit of Cloud',
      { ratelimit: '"jira-burst-based";r=9;t=1', 'x-ratelimit-limit': '100' },
      { remaining: 9, limit: 100, refillMs: 100, lotMs: 1000 },
    ],
    [
      'Beta-RateLimit',
      { 'beta-ratelimit': '"x"; r=0; t=4' },
      { remaining: 0, limit: 0, refillMs: 4000, lotMs: 4000 },
    ],
    [
      'X-RateLimit-Remaining with a reset time',
      {
        'x-ratelimit-remaining': '3',
        'x-ratelimit-limit': '100',
        'x-ratelimit-reset': '2026-11-23T10:00:08Z',
      },
      { remaining: 3, limit: 100, refillMs: 2000, lotMs: 8000 },
    ],
    ['no number', { 'x-ratelimit-remaining': 'many' }, undefined],
  ])('%s', (_, headers, expected) => {
    expect(allowanceOf(new Headers(headers), Date.parse('2026-11-23T10:00:00Z'))).toEqual(expected);
  });

  it('slows down for X-RateLimit-NearLimit alone', async () => {
    const clock = movingClock();
    const send = new Pace({ concurrency: 1, clock }).paced(async () =>
      response(200, { 'x-ratelimit-nearlimit': 'true' }),
    );
    for (let i = 0; i < 4; i++) await send(request(), NEVER);
    expect(clock.elapsed()).toBeGreaterThanOrEqual(2000);
  });
});

/** Counts what is under way; each request takes some time. */
function counting(clock: MovingClock, answer: (n: number) => HttpResponse, ms = 100) {
  const seen = { active: 0, most: 0, count: 0, reset: () => void (seen.most = 0) };
  const send: Send = async () => {
    const n = ++seen.count;
    seen.most = Math.max(seen.most, ++seen.active);
    await clock.sleep(ms);
    seen.active--;
    return answer(n);
  };
  return { seen, send };
}

describe('concurrency', () => {
  it('goes down by half with each 429 or 503, to one at least, and up again one by one', async () => {
    const clock = movingClock();
    let status = 200;
    const { seen, send } = counting(clock, () => response(status));
    const paced = new Pace({ concurrency: 8, clock }).paced(send);
    const volley = async (count: number): Promise<number> => {
      seen.reset();
      await Promise.all(Array.from({ length: count }, () => paced(request(), NEVER)));
      return seen.most;
    };
    expect(await volley(30)).toBe(8);
    status = 429;
    await volley(1);
    status = 200;
    expect(await volley(10)).toBe(4);
    status = 503;
    for (let i = 0; i < 5; i++) await volley(1);
    status = 200;
    expect(await volley(10)).toBe(1);
    let widest = 0;
    for (let i = 0; i < 20; i++) widest = Math.max(widest, await volley(20));
    expect(widest).toBe(8);
  });

  it('holds every request back for as long as a 429 asks', async () => {
    const clock = movingClock();
    const starts: number[] = [];
    const pauses: number[] = [];
    const onPause = (ms: number): void => void pauses.push(ms);
    const paced = new Pace({ concurrency: 4, clock, onPause }).paced(async () => {
      starts.push(clock.elapsed());
      return starts.length === 1 ? response(429, { 'retry-after': '9' }) : response(200);
    });
    await paced(request(), NEVER);
    await Promise.all([1, 2, 3].map(() => paced(request(), NEVER)));
    expect(starts).toEqual([0, 9000, 9000, 9000]);
    expect(pauses).toEqual([9000]);
  });

  it('gives its place back when it is aborted while it waits', async () => {
    const clock = movingClock();
    let first = true;
    const paced = new Pace({ concurrency: 1, clock }).paced(async () => {
      const limited = first;
      first = false;
      return limited ? response(429, { 'retry-after': '5' }) : response(200);
    });
    await paced(request(), NEVER);
    const stop = new AbortController();
    const waiting = paced(request(), stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(paced(request(), NEVER)).resolves.toMatchObject({ status: 200 });
  });
});

/** Data Center's bucket: filled by lots, and told with every answer. */
function bucket(
  clock: MovingClock,
  limit: number,
  fillRate: number,
  intervalSeconds: number,
  latencyMs: number,
): Send {
  let tokens = limit;
  let filled = 0;
  return async () => {
    const lots = Math.floor((clock.elapsed() - filled) / (intervalSeconds * 1000));
    filled += lots * intervalSeconds * 1000;
    tokens = Math.min(limit, tokens + lots * fillRate);
    const allowed = tokens > 0;
    if (allowed) tokens--;
    const headers = {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(tokens),
      'x-ratelimit-fillrate': String(fillRate),
      'x-ratelimit-interval-seconds': String(intervalSeconds),
      'retry-after': '0',
    };
    await clock.sleep(latencyMs);
    return response(allowed ? 200 : 429, headers);
  };
}

describe("Data Center's bucket", () => {
  const cases = [5, 1, 8].flatMap((concurrency) =>
    [
      [20, 5, 10],
      [30, 1, 2],
      [12, 3, 5],
      [100, 10, 60],
    ].flatMap(([limit, fill, every]) =>
      [5, 300, 4000].map((latency) => [concurrency, limit!, fill!, every!, latency] as const),
    ),
  );
  it.each(cases)(
    'is never empty: %s at a time, %s requests, %s more every %s s, %s ms each',
    async (...numbers) => {
      const [concurrency, limit, fill, every, latency] = numbers;
      const clock = movingClock();
      const statuses: number[] = [];
      const paced = new Pace({ concurrency, clock }).paced(bucket(clock, limit, fill, every, latency));
      const worker = async (): Promise<void> => {
        for (let i = 0; i < 150 / concurrency; i++) statuses.push((await paced(request(), NEVER)).status);
      };
      await Promise.all(Array.from({ length: concurrency }, worker));
      expect(statuses.filter((status) => status === 429)).toEqual([]);
      // Not so careful that it would take much longer than the bucket allows.
      const least = Math.max(0, ((statuses.length - limit) / fill) * every * 1000);
      expect(clock.elapsed()).toBeLessThan(3 * least + latency * 200 + 20_000);
    },
  );

  it('is not slowed down while it is full', async () => {
    const clock = movingClock();
    const paced = new Pace({ concurrency: 1, clock }).paced(bucket(clock, 1000, 100, 1, 10));
    for (let i = 0; i < 50; i++) await paced(request(), NEVER);
    expect(clock.elapsed()).toBe(500);
  });
});
