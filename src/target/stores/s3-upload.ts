import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Clock } from '../../shared/clock.ts';
import type { Slots } from '../../shared/slots.ts';
import { answerIsLost, attemptsOf, isConflict, isRefusedCondition, isUnsupported } from './s3-errors.ts';
import { objectProperties, type S3Settings } from './s3-settings.ts';
import type { Upload } from './store.ts';

export type S3UploadContext = {
  readonly client: S3Client;
  readonly settings: S3Settings;
  readonly key: string;
  readonly contentType: string;
  /** Room for bytes on their way, shared by all uploads. */
  readonly transfers: Slots;
  /** Whether the store knows `If-None-Match`; found out by the first write, for all. */
  readonly conditional: { supported: boolean };
  readonly clock: Clock;
  /** Turns failures into errors for the user. */
  readonly doing: <T>(action: string, key: string, act: () => Promise<T>) => Promise<T>;
};

/** Small requests are slow for other reasons than their size. */
const LEAST_WEIGHT = 2 * 1024 * 1024;
const CONFLICT_TRIES = 5;

/** One object: a PutObject if it is small, else a multipart upload whose parts leave as they come. */
export function s3Upload(context: S3UploadContext): Upload {
  const { client, settings, key, contentType, transfers, conditional, clock, doing } = context;
  const where = { Bucket: settings.bucket, Key: key, ExpectedBucketOwner: settings.expectedBucketOwner };
  /** Kept with the object, to recognise it when an answer was lost on the way. */
  const writeId = randomUUID();
  const properties = {
    ...where,
    ...objectProperties(settings),
    ContentType: contentType,
    Metadata: { 'write-id': writeId },
  };
  const parts: Promise<CompletedPart>[] = [];
  let uploadId: Promise<string> | undefined;
  let broken: { readonly error: unknown } | undefined;

  const begin = (): Promise<string> =>
    doing('s3:PutObject', key, async () => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(properties));
      return UploadId!;
    });

  const sendPart = async (body: Uint8Array, number: number, release: () => void): Promise<CompletedPart> => {
    try {
      const id = await uploadId;
      return await doing('s3:PutObject', key, async () => {
        const sent = await client.send(
          new UploadPartCommand({
            ...where,
            UploadId: id,
            PartNumber: number,
            Body: body,
            ChecksumAlgorithm: settings.checksumAlgorithm,
          }),
        );
        const { ETag, ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 } = sent;
        return { PartNumber: number, ETag, ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 };
      });
    } catch (error) {
      broken ??= { error };
      throw error;
    } finally {
      release();
    }
  };

  const write = async (part: Uint8Array): Promise<void> => {
    const release = await transfers.acquire(Math.max(part.length, LEAST_WEIGHT));
    if (broken !== undefined) {
      release();
      throw broken.error;
    }
    uploadId ??= begin();
    const sent = sendPart(part, parts.length + 1, release);
    sent.catch(() => undefined); // seen by `finish`
    parts.push(sent);
  };

  /** Makes the object appear, once, whatever happens to requests and answers on the way. */
  const create = async (send: (condition: { IfNoneMatch?: string }) => Promise<unknown>): Promise<void> => {
    for (let tries = 1; ; tries++) {
      try {
        await send(conditional.supported ? { IfNoneMatch: '*' } : {});
        return;
      } catch (error) {
        if (conditional.supported && isUnsupported(error)) {
          conditional.supported = false;
        } else {
          if (answerIsLost(error) && (await isOurs(isRefusedCondition(error) && attemptsOf(error) > 1)))
            return;
          if (!isConflict(error) || tries >= CONFLICT_TRIES) throw error;
          await clock.sleep(100 * 2 ** tries);
        }
      }
    }
  };

  /** Whether the object under the key is this one; `unless` is the answer if the store does not let us look. */
  const isOurs = async (unless: boolean): Promise<boolean> => {
    try {
      const { Metadata } = await client.send(new HeadObjectCommand(where));
      return Metadata?.['write-id'] === writeId;
    } catch (error) {
      return (
        (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403 && unless
      );
    }
  };

  const abort = async (): Promise<void> => {
    if (uploadId === undefined) return;
    try {
      const id = await uploadId;
      await Promise.allSettled(parts);
      await client.send(new AbortMultipartUploadCommand({ ...where, UploadId: id }));
    } catch {
      // The store's own clean-up, or ours, finds it later.
    }
  };

  const putWhole = async (body: Uint8Array): Promise<void> => {
    const release = await transfers.acquire(Math.max(body.length, LEAST_WEIGHT));
    await doing('s3:PutObject', key, () =>
      create((condition) => client.send(new PutObjectCommand({ ...properties, ...condition, Body: body }))),
    ).finally(release);
  };

  const complete = async (): Promise<void> => {
    const MultipartUpload = { Parts: await Promise.all(parts) };
    const UploadId = await uploadId;
    await doing('s3:PutObject', key, () =>
      create((condition) =>
        client.send(
          new CompleteMultipartUploadCommand({ ...where, ...condition, UploadId, MultipartUpload }),
        ),
      ),
    );
  };

  const finish = async (rest: Uint8Array): Promise<void> => {
    if (uploadId === undefined) return putWhole(rest);
    try {
      if (rest.length > 0) await write(rest);
      await complete();
    } catch (error) {
      await abort();
      throw error;
    }
  };

  return { write, finish, abort };
}
