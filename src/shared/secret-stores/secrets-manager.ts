import type { GetSecretValueCommandOutput, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { configError } from '../errors.ts';
import { explainAwsError } from './aws-errors.ts';
import { CLIENT_SETTINGS, type SecretStore } from './secret-store.ts';

const load = () => import('@aws-sdk/client-secrets-manager');
type Sdk = Awaited<ReturnType<typeof load>>;

/** AWS Secrets Manager; the SDK is loaded at the first use, and finds its settings in its own ways. */
export function secretsManager(): SecretStore {
  let opened: Promise<{ readonly sdk: Sdk; readonly client: SecretsManagerClient }> | undefined;
  const open = () =>
    (opened ??= load().then((sdk) => ({ sdk, client: new sdk.SecretsManagerClient(CLIENT_SETTINGS) })));
  const failure = (action: string, name: string, setting: string) => (cause: unknown) => {
    throw explainAwsError(cause, { action: `secretsmanager:${action}`, about: `secret ${name}`, setting });
  };

  const get = async (name: string, setting: string): Promise<GetSecretValueCommandOutput | undefined> => {
    const { sdk, client } = await open();
    return client
      .send(new sdk.GetSecretValueCommand({ SecretId: name }))
      .catch((cause: unknown) =>
        cause instanceof sdk.ResourceNotFoundException
          ? undefined
          : failure('GetSecretValue', name, setting)(cause),
      );
  };

  return {
    kind: 'secret',
    read: async (name, setting) => {
      const found = await get(name, setting);
      if (found !== undefined && found.SecretString === undefined)
        throw configError(`${setting}: secret ${name} is binary; only text can be read`, { code: 'SECRETS' });
      return found?.SecretString;
    },
    expectWritable: async (name, setting) => {
      const { sdk, client } = await open();
      const found = await get(name, setting);
      if (found?.VersionId === undefined) return;
      // To put the present version once more changes nothing, and needs the right to put one.
      const { SecretString, VersionId } = found;
      const command = new sdk.PutSecretValueCommand({
        SecretId: name,
        SecretString,
        ClientRequestToken: VersionId,
      });
      await client.send(command).catch((cause: unknown) => {
        if (!(cause instanceof sdk.ResourceExistsException)) failure('PutSecretValue', name, setting)(cause);
      });
    },
    write: async (name, text, setting) => {
      const { sdk, client } = await open();
      await client
        .send(new sdk.PutSecretValueCommand({ SecretId: name, SecretString: text }))
        .catch((cause: unknown) => {
          if (cause instanceof sdk.ResourceNotFoundException) throw missing(name, setting, cause);
          failure('PutSecretValue', name, setting)(cause);
        });
    },
  };
}

function missing(name: string, setting: string, cause: Error): Error {
  return configError(
    `${setting}: there is no secret ${name} to write to; create it: aws secretsmanager create-secret --name ${name}`,
    { code: 'SECRETS', cause },
  );
}
