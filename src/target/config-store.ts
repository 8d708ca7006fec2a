import { z } from 'zod';
import { secret } from '../shared/config.ts';

const text = (title: string, description: string, examples: readonly string[] = []) =>
  z
    .string()
    .min(1)
    .optional()
    .meta({ title, description, ...(examples.length === 0 ? {} : { examples: [...examples] }) });

const ACLS = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
] as const;

const STORAGE_CLASSES = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'GLACIER_IR',
  'DEEP_ARCHIVE',
  'REDUCED_REDUNDANCY',
  'EXPRESS_ONEZONE',
  'OUTPOSTS',
  'SNOW',
] as const;

/** Where objects go, as whom, and with which properties. */
export const storeSettings = {
  s3_bucket: text('Bucket', 'Name of the S3 bucket. Give this or local_path.', ['my-data-lake']),
  s3_key_prefix: z
    .string()
    .default('')
    .transform((prefix) => prefix.replaceAll(/^\/+|\/+$/g, ''))
    .refine((prefix) => prefix === '' || prefix.split('/').every((part) => !['', '.', '..'].includes(part)), {
      message: 'must not have empty, "." or ".." parts',
    })
    .meta({
      title: 'Prefix',
      description: 'What every key begins with, below the bucket or the folder.',
      examples: ['raw/jira'],
    }),
  local_path: text('Folder', 'A folder to write to instead of a bucket.', ['./lake']),
  aws_region: text('Region', 'AWS region of the bucket. Default: as the AWS SDK finds it.', ['eu-central-1']),
  aws_endpoint_url: z
    .url({ protocol: /^https?$/, message: 'must be an http or https URL' })
    .optional()
    .meta({
      title: 'Endpoint',
      description: 'Address of an S3-compatible store.',
      examples: ['http://127.0.0.1:9000'],
    }),
  path_style: z.boolean().optional().meta({
    title: 'Path style',
    description:
      'Put the bucket in the path instead of the host name. Default: true with aws_endpoint_url, else false.',
  }),
  aws_profile: text('Profile', 'A profile of the shared AWS config and credentials files.'),
  aws_access_key_id: text('Access key id', 'Default: the credentials the AWS SDK finds.'),
  aws_secret_access_key: secret({
    title: 'Secret access key',
    description: 'Belongs to aws_access_key_id.',
  }).optional(),
  aws_session_token: secret({
    title: 'Session token',
    description: 'For temporary credentials.',
  }).optional(),
  role_arn: text('Role', 'A role to assume for writing; its credentials are renewed before they expire.', [
    'arn:aws:iam::123456789012:role/lake-writer',
  ]),
  external_id: text('External id', 'What the trust policy of role_arn asks for.'),
  max_retry_seconds: z.number().min(0).max(86_400).default(300).meta({
    title: 'Longest retry in seconds',
    description: 'A request to the store that fails for a reason that may pass is tried again for so long.',
  }),
  expected_bucket_owner: z
    .string()
    .regex(/^\d{12}$/, 'must be an account id of 12 digits')
    .optional()
    .meta({
      title: 'Bucket owner',
      pattern_descriptor: '12 digits',
      description: 'Writing fails unless the bucket belongs to this AWS account.',
      examples: ['123456789012'],
    }),
  checksum: z.enum(['default', 'when_required', 'crc64nvme', 'sha256']).optional().meta({
    title: 'Checksum',
    description:
      'What the store verifies uploads with. default: as the AWS SDK does (CRC32). Without this setting: default, or when_required with aws_endpoint_url, since many compatible stores refuse the newer checksums.',
  }),
  sse: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']).optional().meta({
    title: 'Encryption',
    description: 'Server-side encryption of the objects. Default: as the bucket is set up.',
  }),
  kms_key_id: text('KMS key', 'For sse aws:kms and aws:kms:dsse. Default: the AWS managed key.'),
  acl: z.enum(ACLS).optional().meta({
    title: 'ACL',
    description: 'A canned ACL; needs s3:PutObjectAcl and a bucket that has ACLs enabled.',
  }),
  storage_class: z
    .enum(STORAGE_CLASSES)
    .optional()
    .meta({ title: 'Storage class', description: 'How S3 keeps the objects. Default: STANDARD.' }),
  tags: z
    .record(z.string().min(1).max(128), z.string().max(256))
    .refine((tags) => Object.keys(tags).length <= 10, { message: 'S3 allows 10 tags' })
    .optional()
    .meta({
      title: 'Tags',
      description: 'Object tags; needs s3:PutObjectTagging.',
      examples: [{ team: 'data' }],
    }),
};
