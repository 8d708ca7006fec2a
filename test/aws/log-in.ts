import { OAuthPerson } from '../support/oauth-person.ts';
import { startTap, type Ended } from '../support/programs.ts';
import { addressIn } from '../tap/authorize/setup.ts';

/** Runs `tap-jira authorize` with a person who allows the access. */
export async function logIn(config: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  const { child, ended } = startTap(['authorize', '--config', config, '--no-browser'], { env });
  let shown = '';
  let person: Promise<unknown> | undefined;
  child.stdout!.on('data', (chunk: Buffer) => {
    shown += String(chunk);
    if (/Waiting for you/.test(shown)) person ??= new OAuthPerson().allow(addressIn(shown));
  });
  const result = await ended;
  await person;
  return result;
}
