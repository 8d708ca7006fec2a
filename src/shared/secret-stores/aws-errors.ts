import { configError, errnoOf, messageOf, transientError, type ConnectorError } from '../errors.ts';

/** What was asked of AWS, and for which setting. */
export type AwsRequest = {
  /** The IAM action, such as `ssm:GetParameter`. */
  readonly action: string;
  /** Such as `parameter /jira/token`. */
  readonly about: string;
  readonly setting: string;
};

type Answer = { readonly name?: string; readonly $metadata?: { readonly httpStatusCode?: number } };

const WRONG_KEYS =
  /^(UnrecognizedClient|InvalidSignature|InvalidClientTokenId|ExpiredToken|MissingAuthenticationToken|IncompleteSignature|CredentialsProviderError|TokenProviderError|SignatureDoesNotMatch|InvalidAccessKeyId|InvalidToken)/;
const BY_KEY = /\bkms\b|ciphertext|EncryptionFailure|DecryptionFailure|InvalidKeyId/i;

/** What AWS, or the way to it, said, as an error that names the setting and tells the user what to do. */
export function explainAwsError(cause: unknown, { action, about, setting }: AwsRequest): ConnectorError {
  const { name = '', $metadata } = cause as Answer;
  const said = messageOf(cause);
  const status = $metadata?.httpStatusCode;
  const doing = `${setting}: ${action} on ${about}`;
  const options = { code: 'SECRETS', cause };
  if (/region is missing/i.test(said))
    return configError(`${doing}: AWS_REGION is not set, nor a region in the AWS profile; set one`, options);
  if (WRONG_KEYS.test(name))
    return configError(
      `${doing}: AWS does not know who is asking (${name}: ${said}); check AWS_PROFILE, AWS_ACCESS_KEY_ID or the role of this machine`,
      options,
    );
  if (/AccessDenied|NotAuthorized/.test(name) || status === 403 || BY_KEY.test(name))
    return configError(
      `${doing}: AWS refuses it (${name}: ${said}); ${permission(action, name, said)}`,
      options,
    );
  if (
    status !== undefined &&
    status >= 400 &&
    status < 500 &&
    status !== 429 &&
    !/Throttl|TooMany/.test(name)
  )
    return configError(`${doing}: AWS refuses it (${name}: ${said}); check the reference`, options);
  const unreached = status === undefined ? ` (${errnoOf(cause) ?? name})` : ` (${status} ${name})`;
  return transientError(
    `${doing}: AWS did not answer well${unreached}: ${said}; check the region and AWS_ENDPOINT_URL, or run again later`,
    options,
  );
}

function permission(action: string, name: string, said: string): string {
  const named = /not authorized to perform:? ([\w:]+)/.exec(said)?.[1];
  if (named !== undefined && !named.startsWith('kms:')) return `allow ${named} for these credentials`;
  const writes = /:Put/.test(action) ? 'kms:GenerateDataKey and kms:Encrypt' : 'kms:Decrypt';
  if (named !== undefined || BY_KEY.test(`${name} ${said}`))
    return `allow ${named ?? writes} on the KMS key that encrypts it`;
  return `allow ${action} for these credentials`;
}
