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
    ['discover --config a --debug', { do: 'airbyte-catalog' }],
    ['read --config a --catalog c --debug', { do: 'read', log: { level: 'debug' } }],
    ['-c a --debug --log-level error', { do: 'sync', log: { level: 'error' } }],
    ['--discover', { do: 'discover', config: [] }],
    ['-d -c a', { do: 'discover', config: ['a'] }],
    ['check -c a', { do: 'check', config: ['a'] }],
    ['-c a check', { do: 'check', config: ['a'] }],
    ['spec', { do: 'spec' }],
    ['discover --config a', { do: 'airbyte-catalog' }],
    ['read --config a --catalog c', { do: 'read', config: ['a'], catalog: 'c', log: {} }],
    ['read --config a --catalog c --state s', { do: 'read', catalog: 'c', state: 's' }],
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
    ['-c a write', 'unknown argument: write'],
    ['read -c a', '--catalog is missing'],
    ['read --catalog c', '--config is missing'],
    ['--about --format=xml', 'Invalid values'],
    ['-c', '-c needs a value'],
  ])('"%s" is a usage error', async (line, message) => {
    const error: unknown = await parse(line).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
  });
});

describe('authorize', () => {
  const flags = { keygen: false, oob: false, status: false, port: 0 };

  it.each<[string, object]>([
    ['authorize -c a', { do: 'authorize', config: ['a'], log: {}, flags, browser: true }],
    ['-c a authorize --oob', { flags: { ...flags, oob: true } }],
    ['authorize -c a --keygen', { flags: { ...flags, keygen: true } }],
    ['authorize -c a --status', { flags: { ...flags, status: true } }],
    ['authorize -c a --port 8400 --no-browser', { flags: { ...flags, port: 8400 }, browser: false }],
  ])('%s', async (line, command) => {
    expect(await parse(line)).toMatchObject(command);
  });

  it.each([
    ['authorize', '--config is missing'],
    ['authorize -c a --keygen --status', 'exclude each other'],
    ['authorize -c a --port 70000', '--port'],
    ['authorize -c a --port x', '--port'],
    ['-c a --oob', 'belong to authorize'],
    ['check -c a --no-browser', 'belong to authorize'],
  ])('"%s" is a usage error', async (line, message) => {
    await expect(parse(line)).rejects.toThrow(message);
  });
});
