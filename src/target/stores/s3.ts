import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListMultipartUploadsCommand,
  AbortMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  type ListMultipartUploadsCommandOutput,
} from '@aws-sdk/client-s3';
import type { Clock } from '../../shared/clock.ts';
import { Slots } from '../../shared/slots.ts';
import { explainS3Error, isMissing } from './s3-errors.ts';
import { objectProperties, type S3Settings } from './s3-settings.ts';
import { retryFor } from './s3-retry.ts';
import { s3Upload } from './s3-upload.ts';
import type { Leftover, Store, StoredObject } from './store.ts';

const MIB = 1024 * 1024;
const PART_BYTES = 8 * MIB;

/** A bucket as a store. Writing needs only s3:PutObject. */
export function s3Store(settings: S3Settings, clock: Clock, warn: (message: string) => void): Store {
  const { bucket } = settings;
  const retryStrategy = retryFor(settings.retryMs, clock);
  const client = new S3Client({ ...settings.client, retryStrategy });
  // Weighed by bytes: four large parts, or sixteen small objects.
  const transfers = new Slots(4 * PART_BYTES);
  let ahead: number | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> };
      const date = Date.parse(headers?.['date'] ?? '');
      if (!Number.isNaN(date)) ahead = date - clock.now();
      return result;
    },
    { step: 'deserialize', name: 'noteTheDate', priority: 'low' },
  );
  let supported = true;
  const conditional = {
    get supported(): boolean {
      return supported;
    },
    set supported(is: boolean) {
      if (supported && !is)
        warn(
          'the store does not know conditional writes (If-None-Match); an object of the same name would be overwritten',
        );
      supported = is;
    },
  };
  const where = { Bucket: bucket, ExpectedBucketOwner: settings.expectedBucketOwner };
  const doing = async <T>(action: string, key: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (cause) {
      throw explainS3Error(cause, { action, bucket, key, endpoint: settings.endpoint });
    }
  };
  return {
    name: `s3://${bucket}`,
    partBytes: PART_BYTES,
    create: (key, contentType) =>
      s3Upload({ client, settings, key, contentType, transfers, conditional, clock, doing }),
    replace: (key, bytes) =>
      doing('s3:PutObject', key, async () => {
        await client.send(
          new PutObjectCommand({
            ...where,
            ...objectProperties(settings),
            Key: key,
            Body: bytes,
            ContentType: 'application/json',
          }),
        );
      }),
    get: (key) =>
      doing('s3:GetObject', key, async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand({ ...where, Key: key }));
          return Body?.transformToByteArray();
        } catch (cause) {
          if (isMissing(cause)) return undefined;
          throw cause;
        }
      }),
    list: (prefix) => listObjects(prefix),
    folders: (prefix) => listFolders(prefix),
    leftovers: (prefix) => listUploads(prefix),
    clockAhead: () => ahead,
    remove: (key) =>
      doing('s3:DeleteObject', key, async () => {
        await client.send(new DeleteObjectCommand({ ...where, Key: key }));
      }),
  };

  async function* listFolders(prefix: string): AsyncGenerator<string> {
    let token: string | undefined;
    do {
      const page = await doing('s3:ListBucket', prefix, () =>
        client.send(
          new ListObjectsV2Command({ ...where, Prefix: prefix, Delimiter: '/', ContinuationToken: token }),
        ),
      );
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) yield Prefix.slice(prefix.length, -1);
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async function* listUploads(prefix: string): AsyncGenerator<Leftover> {
    let next: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    while (next !== undefined) {
      const page: ListMultipartUploadsCommandOutput = await doing(
        's3:ListBucketMultipartUploads',
        prefix,
        () => client.send(new ListMultipartUploadsCommand({ ...where, Prefix: prefix, ...next })),
      );
      for (const { Key = '', UploadId, Initiated } of page.Uploads ?? [])
        yield {
          key: Key,
          begunAt: Initiated?.getTime() ?? 0,
          remove: () =>
            doing('s3:AbortMultipartUpload', Key, async () => {
              await client.send(new AbortMultipartUploadCommand({ ...where, Key, UploadId }));
            }),
        };
      next =
        page.IsTruncated === true
          ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
          : undefined;
    }
  }

  async function* listObjects(prefix: string): AsyncGenerator<StoredObject> {
    let token: string | undefined;
    do {
      const page = await doing('s3:ListBucket', prefix, () =>
        client.send(new ListObjectsV2Command({ ...where, Prefix: prefix, ContinuationToken: token })),
      );
      for (const { Key, Size, LastModified } of page.Contents ?? [])
        yield { key: Key ?? '', bytes: Size ?? 0, modifiedAt: LastModified?.getTime() ?? 0 };
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }
}
