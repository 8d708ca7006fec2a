import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/shared/errors.ts';
import { parseCommand, type Command } from '../../src/tap/command.ts';

const parse = (line: string): Promise<Command> => parseCommand(line === '' ? [] : line.split(' '), '9.9.9');

describe('the command line', () => {
  it.each<[string, object]>([
    ['--config a.json', { do: 'sync', config: ['a.json'], log: {} }],
    ['-c a.json -c b.json --config=ENV', { do: 'sync', config: ['a.json', 'b.json', 'ENV'], log: {} }],
    ['-c a -s s --catalog c', { do: 'sync', config: ['a'], state: 's', catalog: 'c', log: {} }],
    ['-c a -p c', { do: 'sync', config: ['a'], catalog: 'c', log: {} }],
    ['-c a --properties c', { do: 'sync', config: ['a'], catalog: 'c', log: {} }],
    ['-c a --test', { do: 'sync', config: ['a'], test: 'records', log: {} }],
    ['-c a --test=schema', { do: 'sync', config: ['a'], test: 'schema', log: {} }],
    ['-c a --log-format json --log-level debug', { do: 'sync', log: { format: 'json', level: 'debug' } }],
    ['--discover', { do: 'discover', config: [] }],
    ['-d -c a', { do: 'discover', config: ['a'] }],
    ['check -c a', { do: 'check', config: ['a'] }],
    ['-c a check', { do: 'check', config: ['a'] }],
    ['--about', { do: 'about', format: 'text' }],
    ['--about --format=json', { do: 'about', format: 'json' }],
  ])('%s', async (line, command) => {
    expect(await parse(line)).toMatchObject(command);
  });

  it('tells its version and its help, which are not errors', async () => {
    expect(await parse('--version')).toEqual({ do: 'print', text: 'tap-jira v9.9.9\n' });
    const help = await parse('--help');
    expect(help).toMatchObject({ do: 'print', text: expect.stringContaining('--config') });
  });

  it.each([
    ['', '--config is missing'],
    ['--state s', '--config is missing'],
    ['-c a --stat s', 'Unknown argument: stat'],
    ['-c a read', 'unknown argument: read'],
    ['--about --format=xml', 'Invalid values'],
    ['-c', 'Not enough arguments'],
  ])('"%s" is a usage error', async (line, message) => {
    const error: unknown = await parse(line).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
  });
});
