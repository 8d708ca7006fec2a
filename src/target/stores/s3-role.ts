import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { configError, messageOf, transientError, type ConnectorError } from '../../shared/errors.ts';
import type { Config } from '../config.ts';
import { credentials } from './s3-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Credentials of a role, asked for again before they expire, with what the user gave as the credentials to ask. */
export function roleCredentials(
  config: Config,
  arn: string,
  env: Environment,
): NonNullable<S3ClientConfig['credentials']> {
  const { credentials: own } = credentials(config);
  const known = config.aws_region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  const params = {
    RoleArn: arn,
    RoleSessionName: 'target-s3',
    ...(config.external_id === undefined ? {} : { ExternalId: config.external_id }),
  };
  const chain = fromNodeProviderChain(
    config.aws_profile === undefined ? {} : { profile: config.aws_profile },
  );
  const ask = fromTemporaryCredentials({
    params,
    masterCredentials: own ?? chain,
    ...(known === undefined ? {} : { clientConfig: { region: known } }),
  });
  return (context) =>
    ask(context).catch((cause: unknown) => {
      throw explained(arn, cause);
    });
}

function explained(arn: string, cause: unknown): ConnectorError {
  const { $fault: fault, name = '' } = cause as { readonly $fault?: string; readonly name?: string };
  const said = `role_arn: the role ${arn} cannot be taken: ${name}: ${messageOf(cause)}`;
  const advice =
    'allow sts:AssumeRole on it for these credentials, let its trust policy name them, and check external_id';
  return fault === 'client' || name === 'CredentialsProviderError'
    ? configError(`${said}; ${advice}`, { code: 'STORE_DENIED', cause })
    : transientError(`${said}; run again when STS is well`, { code: 'STORE_FAILED', cause });
}
