import { describe, expect, it } from 'vitest';
import { createLog, parseLogLevel, type LogFormat, type LogLevel } from '../../src/shared/log.ts';
import { Secret } from '../../src/shared/secret.ts';

function logging(format: LogFormat, level: LogLevel = 'info') {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  return { lines, log: createLog({ name: 'tap-jira', format, level, write, now: () => 1_700_000_000_500 }) };
}

describe('the log', () => {
  it('as text is one line per message, in the words of singer-python', () => {
    const { lines, log } = logging('text');
    log.debug('unseen');
    log.info('first\n   second');
    log.critical('bad');
    log.info('METRIC', { metric: { type: 'counter', metric: 'record_count', value: 3, tags: {} } });
    expect(lines).toEqual([
      'INFO first | second\n',
      'CRITICAL bad\n',
      'INFO METRIC: {"type":"counter","metric":"record_count","value":3,"tags":{}}\n',
    ]);
  });

  it('as JSON has the fields that Meltano wants', () => {
    const { lines, log } = logging('json', 'debug');
    log.warning('two\nlines "quoted"', { stream: 'issues', extra: { project: 'ABC' } });
    log.info('x', { metric: { value: 1 } });
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'warning',
      pid: process.pid,
      logger_name: 'tap-jira',
      ts: 1_700_000_000.5,
      thread_name: null,
      app_name: 'tap-jira',
      stream_name: 'issues',
      message: 'two\nlines "quoted"',
      extra: { project: 'ABC' },
    });
    expect(JSON.parse(lines[1]!)).toMatchObject({ message: 'METRIC', metric_info: { value: 1 }, extra: {} });
    for (const line of lines) expect(line.indexOf('\n')).toBe(line.length - 1);
  });

  it.each(['text', 'json'] as const)('shows no secret (%s)', (format) => {
    const { lines, log } = logging(format);
    const secret = new Secret('pass"word\\1');
    log.error(`refused: ${secret.reveal()}`, { extra: { tried: secret.reveal() } });
    log.error('Authorization: Bearer abcdefghijkl');
    expect(lines.join('')).not.toMatch(/word|abcdefgh/);
  });

  it.each<[LogLevel, number]>([
    ['debug', 5],
    ['info', 4],
    ['warning', 3],
    ['error', 2],
    ['critical', 1],
  ])('at level %s prints %s of five', (level, count) => {
    const { lines, log } = logging('text', level);
    for (const each of ['debug', 'info', 'warning', 'error', 'critical'] as const) log[each](each);
    expect(lines).toHaveLength(count);
  });

  it.each([
    ['WARN', 'warning'],
    ['Warning', 'warning'],
    ['fatal', 'critical'],
    ['trace', 'debug'],
    ['info', 'info'],
    ['loud', undefined],
    ['constructor', undefined],
  ])('understands the level %s as %s', (text, level) => {
    expect(parseLogLevel(text)).toBe(level);
  });
});
