import {
  configError,
  ConnectorError,
  errnoOf,
  messageOf,
  systemError,
  transientError,
} from '../../shared/errors.ts';

export type S3Action = {
  /** The IAM action that was asked for. */
  readonly action: string;
  readonly bucket: string;
  readonly key: string;
  readonly endpoint: string | undefined;
};

type Answer = {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
};

const statusOf = (error: unknown): number | undefined => (error as Answer).$metadata?.httpStatusCode;
const nameOf = (error: unknown): string => (error as Answer).name ?? '';

/** How often the request was sent. */
export const attemptsOf = (error: unknown): number => (error as Answer).$metadata?.attempts ?? 1;

/** The key exists already. */
export const isRefusedCondition = (error: unknown): boolean => statusOf(error) === 412;

/** Another request for the key was under way. */
export const isConflict = (error: unknown): boolean => statusOf(error) === 409;

/** The store does not know conditional writes. */
export const isUnsupported = (error: unknown): boolean =>
  statusOf(error) === 501 || nameOf(error) === 'NotImplemented';

export const isMissing = (error: unknown): boolean =>
  statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';

/** The request may have been carried out although it was not answered so. */
export function answerIsLost(error: unknown): boolean {
  const status = statusOf(error);
  return (
    status === undefined ||
    status >= 500 ||
    status === 412 ||
    status === 409 ||
    nameOf(error) === 'NoSuchUpload'
  );
}

const WRONG_KEYS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
  'CredentialsProviderError',
  'UnrecognizedClientException',
  'XAdminUserNotFound',
]);
const WRONG_PLACE = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);
const UNREACHABLE = new Set(['ENOTFOUND', 'ECONNREFUSED', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** What S3, or the way to it, said, as an error that tells the user what to do. */
export function explainS3Error(cause: unknown, request: S3Action): ConnectorError {
  if (cause instanceof ConnectorError) return cause;
  const { action, bucket, key, endpoint } = request;
  const status = statusOf(cause);
  const name = nameOf(cause);
  const place = endpoint ?? 'AWS';
  const said =
    status === undefined ? messageOf(cause) : `${place} answered ${status} ${name}: ${messageOf(cause)}`;
  const doing = `${action} on s3://${bucket}/${key}`;
  const config = (code: string, advice: string): ConnectorError =>
    configError(`${doing}: ${said}; ${advice}`, { code, cause });
  if (WRONG_KEYS.has(name))
    return config(
      'STORE_CREDENTIALS',
      'check aws_access_key_id and aws_secret_access_key, aws_profile, or the credentials of the environment',
    );
  if (name === 'NoSuchBucket')
    return config('STORE_NO_BUCKET', `bucket ${bucket} does not exist; check s3_bucket or create it`);
  if (WRONG_PLACE.has(name) || status === 301 || /region is missing/i.test(messageOf(cause)))
    return config('STORE_REGION', `set aws_region to the region of bucket ${bucket}`);
  if (status === 403)
    return config(
      'STORE_DENIED',
      `allow ${action} on arn:aws:s3:::${bucket}/* for these credentials (and the use of the key, if the bucket is encrypted with KMS)`,
    );
  if (status === 412)
    return systemError(`${doing}: there is an object of that name already; nothing was overwritten`, {
      cause,
    });
  if (status === undefined && UNREACHABLE.has(errnoOf(cause) ?? ''))
    return transientError(
      `${doing}: ${place} cannot be reached (${messageOf(cause)}); check aws_endpoint_url, aws_region and the network`,
      {
        code: 'STORE_UNREACHABLE',
        cause,
      },
    );
  if (
    status !== undefined &&
    status >= 400 &&
    status < 500 &&
    ![408, 409, 429].includes(status) &&
    name !== 'NoSuchUpload'
  )
    return config('STORE_REFUSED', 'check the settings of the store');
  return transientError(
    `${doing}: ${said} (tried ${attemptsOf(cause)} times); run again when the store is well`,
    { code: 'STORE_FAILED', cause },
  );
}
