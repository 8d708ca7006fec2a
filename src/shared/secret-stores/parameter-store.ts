import type { PutParameterCommandInput, SSMClient } from '@aws-sdk/client-ssm';
import { explainAwsError } from './aws-errors.ts';
import { CLIENT_SETTINGS, type SecretStore } from './secret-store.ts';

const load = () => import('@aws-sdk/client-ssm');
type Sdk = Awaited<ReturnType<typeof load>>;

/** How a parameter is kept; a new value keeps it so. */
type Kept = Pick<PutParameterCommandInput, 'Type' | 'KeyId' | 'Tier'>;

/**
 * The Parameter Store of AWS Systems Manager. The SDK is loaded at the first use, and finds region, endpoint and
 * credentials in its own ways. New parameters are SecureStrings.
 */
export function parameterStore(): SecretStore {
  let opened: Promise<{ readonly sdk: Sdk; readonly client: SSMClient }> | undefined;
  const open = () => (opened ??= load().then((sdk) => ({ sdk, client: new sdk.SSMClient(CLIENT_SETTINGS) })));
  const failure = (action: string, name: string, setting: string) => (cause: unknown) => {
    throw explainAwsError(cause, { action: `ssm:${action}`, about: `parameter ${name}`, setting });
  };

  const read: SecretStore['read'] = async (name, setting) => {
    const { sdk, client } = await open();
    const command = new sdk.GetParameterCommand({ Name: name, WithDecryption: true });
    return client.send(command).then(
      ({ Parameter }) => Parameter?.Value,
      (cause: unknown) =>
        cause instanceof sdk.ParameterNotFound ? undefined : failure('GetParameter', name, setting)(cause),
    );
  };

  /** How the parameter is kept, or is to be if it is new. Left out, AWS would take the account's own key for it. */
  const keptAs = async (name: string, setting: string): Promise<Kept> => {
    const { sdk, client } = await open();
    let last: Kept = { Type: 'SecureString' };
    try {
      for await (const { Parameters = [] } of sdk.paginateGetParameterHistory({ client }, { Name: name }))
        last = Parameters.at(-1) ?? last;
    } catch (cause) {
      if (!(cause instanceof sdk.ParameterNotFound)) failure('GetParameterHistory', name, setting)(cause);
    }
    return { Type: last.Type, KeyId: last.KeyId, Tier: last.Tier };
  };

  return {
    kind: 'parameter',
    read,
    expectWritable: async (name, setting) => {
      const { sdk, client } = await open();
      const text = await read(name, setting);
      if (text === undefined) return;
      const kept = await keptAs(name, setting);
      // Whoever may write hears that the parameter exists; nothing is ever overwritten.
      await client
        .send(new sdk.PutParameterCommand({ ...kept, Name: name, Value: text, Overwrite: false }))
        .catch((cause: unknown) => {
          if (!(cause instanceof sdk.ParameterAlreadyExists)) failure('PutParameter', name, setting)(cause);
        });
    },
    write: async (name, text, setting) => {
      const { sdk, client } = await open();
      const kept = await keptAs(name, setting);
      await client
        .send(new sdk.PutParameterCommand({ ...kept, Name: name, Value: text, Overwrite: true }))
        .catch(failure('PutParameter', name, setting));
    },
  };
}
