import { describe, expect, it } from 'vitest';
import type { Log, LogFields } from '../../src/shared/log.ts';
import { logReporter, terminalReporter } from '../../src/tap/summary.ts';

const TALLY = { named: 10, emitted: 7, unchanged: 3, gone: 0, unread: 0 };
const BAD = { named: 5, emitted: 2, unchanged: 0, gone: 1, unread: 2 };

describe('the summary in a log', () => {
  it('is a line per project, a metric per stream, and a line for the run', () => {
    const lines: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
    const info = (message: string, fields?: LogFields): void => void lines.push({ message, fields });
    const reporter = logReporter({ info } as Log);
    reporter.started('ABC', 10);
    reporter.counted('ABC', TALLY);
    reporter.finished('ABC', TALLY, 1.26);
    reporter.finished('DEF', BAD, 2, new Error('x'));
    reporter.emitted?.(new Map([['issues', 9]]));
    reporter.close();
    expect(lines.map(({ message }) => message)).toEqual([
      'project ABC complete: 10 named, 7 emitted, 3 unchanged in 1.3 s',
      'project DEF failed: 5 named, 2 emitted, 0 unchanged, 1 gone, 2 unread in 2.0 s',
      'METRIC',
      '1 of 2 projects complete: 15 named, 9 emitted, 3 unchanged, 1 gone, 2 unread',
    ]);
    expect(lines[2]!.fields!.metric).toEqual({
      type: 'counter',
      metric: 'record_count',
      value: 9,
      tags: { stream: 'issues' },
    });
    expect(lines[0]!.fields!.extra).toEqual({ project: 'ABC', ...TALLY });
  });
});

describe('the summary in a terminal', () => {
  it('is a bar that is drawn now and then, and a table at the end', () => {
    const written: string[] = [];
    let now = 1000;
    const reporter = terminalReporter(
      (text) => void written.push(text),
      () => now,
    );
    reporter.started('ABC', 100);
    reporter.counted('ABC', { ...TALLY, named: 100 });
    expect(written).toHaveLength(1);
    now += 500;
    reporter.counted('ABC', { ...TALLY, emitted: 47, unchanged: 3 });
    expect(written.at(-1)).toBe(`\r\u001b[K[${'='.repeat(12)}${' '.repeat(12)}] 50/100 issues  ABC`);
    reporter.finished('ABC', TALLY, 1);
    reporter.finished('DEF', BAD, 2, new Error('x'));
    reporter.close();
    expect(written.at(-1)).toBe(
      [
        '\r\u001b[Kproject  named  emitted  unchanged  gone  unread  seconds',
        'ABC         10        7          3     0       0      1.0',
        'DEF          5        2          0     1       2      2.0  failed',
        'total       15        9          3     1       2',
        '',
      ].join('\n'),
    );
  });

  it('never shows more than all, nor a line wider than a terminal', () => {
    const written: string[] = [];
    let now = 0;
    const reporter = terminalReporter(
      (text) => void written.push(text),
      () => (now += 1000),
    );
    for (let i = 0; i < 40; i++) reporter.counted(`PROJECT${i}`, TALLY);
    for (const text of written) {
      expect(text.length).toBeLessThanOrEqual(78);
      expect(text).toMatch(/ (\d+)\/\1 issues/);
    }
  });
});
