import type { ChecksumAlgorithm, PutObjectCommandInput, S3ClientConfig } from '@aws-sdk/client-s3';
import type { Config } from '../config.ts';

export type Keys = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};
type Environment = Readonly<Record<string, string | undefined>>;

export type S3Settings = {
  readonly bucket: string;
  readonly endpoint: string | undefined;
  readonly expectedBucketOwner: string | undefined;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly client: S3ClientConfig;
  /** For how long a request is tried again. */
  readonly retryMs: number;
  readonly properties: ObjectProperties;
};

export type ObjectProperties = Pick<
  PutObjectCommandInput,
  'ServerSideEncryption' | 'SSEKMSKeyId' | 'ACL' | 'StorageClass' | 'Tagging'
>;

/** The settings of the S3 client and of each object, from a configuration with a bucket. */
export function toS3Settings(config: Config, bucket: string, env: Environment): S3Settings {
  const endpoint = config.aws_endpoint_url;
  const checksum = config.checksum ?? (endpoint === undefined ? 'default' : 'when_required');
  const required = checksum === 'when_required' ? 'WHEN_REQUIRED' : undefined;
  return {
    bucket,
    endpoint,
    expectedBucketOwner: config.expected_bucket_owner,
    checksumAlgorithm: ALGORITHMS[checksum],
    retryMs: config.max_retry_seconds * 1000,
    properties: {
      ServerSideEncryption: config.sse,
      SSEKMSKeyId: config.kms_key_id,
      ACL: config.acl,
      StorageClass: config.storage_class,
      Tagging: config.tags === undefined ? undefined : new URLSearchParams(config.tags).toString(),
    },
    client: {
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: config.path_style ?? true }),
      ...(config.path_style === undefined ? {} : { forcePathStyle: config.path_style }),
      ...region(config, env),
      ...(config.aws_profile === undefined ? {} : { profile: config.aws_profile }),
      ...credentials(config),
      ...(required === undefined
        ? {}
        : { requestChecksumCalculation: required, responseChecksumValidation: required }),
      requestHandler: {
        connectionTimeout: 10_000,
        requestTimeout: 120_000,
        throwOnRequestTimeout: true,
      },
    },
  };
}

/** The object properties and the checksum that go with every write of a whole object. */
export function objectProperties({ properties, checksumAlgorithm }: S3Settings): ObjectProperties & {
  ChecksumAlgorithm: ChecksumAlgorithm | undefined;
} {
  return { ...properties, ChecksumAlgorithm: checksumAlgorithm };
}

const ALGORITHMS = {
  default: 'CRC32',
  when_required: undefined,
  crc64nvme: 'CRC64NVME',
  sha256: 'SHA256',
} as const;

function region(config: Config, env: Environment): S3ClientConfig {
  if (config.aws_region !== undefined) return { region: config.aws_region };
  // Compatible stores rarely have regions, but signing needs one; the environment still comes first.
  const known = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  return config.aws_endpoint_url !== undefined && known === undefined ? { region: 'us-east-1' } : {};
}

/** The credentials that are set, if they are. */
export function credentials(config: Config): { readonly credentials?: Keys } {
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secret, aws_session_token: token } = config;
  if (accessKeyId === undefined || secret === undefined) return {};
  return {
    credentials: {
      accessKeyId,
      secretAccessKey: secret.reveal(),
      ...(token === undefined ? {} : { sessionToken: token.reveal() }),
    },
  };
}
