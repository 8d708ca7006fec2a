import { describe, expect, it } from 'vitest';
import { credentialsOfHost } from '../../../src/tap/airbyte/renewed-credentials.ts';
import type { CredentialMembers } from '../../../src/tap/credential-store.ts';
import { airbyteMessages } from '../../support/airbyte.ts';

const config = {
  base_url: 'https://jira.example.com',
  credentials: { auth_type: 'oauth2', client_id: 'c', refresh_token: 'r1', access_token: 'ssm:/jira' },
};

function setUp() {
  let said = '';
  const saved: CredentialMembers[] = [];
  const expected: (readonly string[])[] = [];
  const store = credentialsOfHost(
    {
      name: 'config.json',
      load: async () => ({ refresh_token: 'r1', access_token: 'a1' }),
      expectWritable: async (members) => void expected.push(members),
      save: async (members) => void saved.push(members),
    },
    config,
    async (line) => {
      said += Buffer.from(line).toString();
    },
    () => 1_795_341_600_123,
  );
  return { store, saved, expected, messages: () => airbyteMessages(said) };
}

describe('renewed credentials under Airbyte', () => {
  it('are told to the host, in the whole configuration, and used from then on', async () => {
    const { store, saved, messages } = setUp();
    await store.save({ refresh_token: 'r2' });
    await store.save({ client_id: 'd' });
    expect(messages().map(({ control }) => control?.connectorConfig.config)).toEqual([
      { ...config, credentials: { ...config.credentials, refresh_token: 'r2' } },
      { ...config, credentials: { ...config.credentials, refresh_token: 'r2', client_id: 'd' } },
    ]);
    expect(await store.load()).toEqual({ refresh_token: 'r2', access_token: 'a1', client_id: 'd' });
    expect(saved).toEqual([]);
  });

  it('stay where a reference leads', async () => {
    const { store, saved, expected, messages } = setUp();
    await store.expectWritable!(['refresh_token', 'access_token']);
    await store.save({ access_token: 'a2' });
    expect([saved, expected]).toEqual([[{ access_token: 'a2' }], [['access_token']]]);
    expect(messages()).toEqual([]);
  });
});
