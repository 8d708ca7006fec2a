import { describe, expect, it } from 'vitest';
import { readStateFile } from '../../src/tap/state-file.ts';
import { Scratch } from '../support/programs.ts';

const A = '{"bookmarks":{"issues":{"projects":{"A":{}}}}}';
const B = '{"bookmarks":{"issues":{"projects":{"B":{}}}}}';
const message = (state: string): string => `{"type":"STATE","value":${state}}`;

describe('a state file', () => {
  it.each([
    ['one document', A, A],
    ['one document over several lines', JSON.stringify(JSON.parse(A), null, 2), A],
    ['a byte order mark', `\uFEFF${A}`, A],
    ['what a target printed', `${A}\n${B}\n`, B],
    ['messages', `${message(A)}\n${message(B)}\n`, B],
    ['one message', message(B), B],
    ['a last line without its end', `${A}\n${B}`, B],
    ['a last line that was cut', `${A}\n${B}\n${A.slice(0, 20)}`, B],
    ['empty lines', `\n${A}\n\n${B}\n\n`, B],
    ['Windows line ends', `${A}\r\n${B}\r\n`, B],
    ["Meltano's wrapping", `{"completed":{},"singer_state":${A}}`, A],
    ['nothing', '', '{}'],
    ['white space', ' \n', '{}'],
  ])('with %s is read', async (_, text, expected) => {
    await using scratch = await Scratch.open();
    const path = await scratch.write('state.json', text);
    expect(await readStateFile(path)).toEqual(JSON.parse(expected));
  });

  it.each([
    ['a cut document over several lines', `{\n"bookmarks": {}`, /not valid JSON \(line 1\)/],
    ['nothing but broken lines', `{oops\n{again\n`, /not valid JSON \(line 1\)/],
    ['no bookmarks', '{"last_ingest_date":"2026-11-01T00:00:00Z"}', /has no "bookmarks"/],
    ['a list', '[]', /must be a JSON object/],
    ['a number as its last line', `${A}\n5\n`, /must be a JSON object/],
  ])('with %s is refused', async (_, text, expected) => {
    await using scratch = await Scratch.open();
    const path = await scratch.write('state.json', text);
    const error: unknown = await readStateFile(path).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'config', code: 'BAD_STATE' });
    expect((error as Error).message).toMatch(expected);
  });

  it('that is not there is refused by its path', async () => {
    await expect(readStateFile('/no/such/state.json')).rejects.toThrow(/no\/such\/state\.json.*no such file/);
  });
});
