import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { StorageError } from '../../domain/errors';
import { formatBytes } from '../../domain/format';
import { checkedLength, watchSource } from '../../lib/streams';
import type { BackupStorage } from '../../ports/backup-storage';
import { s3StorageError } from './s3-errors';
import { upload, type PartSizes, type UploadTarget } from './upload';

const SILENCE_MS = 60_000;

export interface S3StorageOptions {
  bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  prefix: string;
  /** Whether `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_S3` names another server than Amazon's. */
  customEndpoint: boolean;
  /** Only what differs from the SDK's own environment. */
  client?: Pick<S3ClientConfig, 'endpoint' | 'region' | 'credentials'>;
  /** How long a connection may stay silent before the request is given up and tried again. */
  silenceMs?: number;
  /** `PARTS` unless a test names smaller ones. */
  parts?: PartSizes;
  /** How often a request is tried, with growing pauses, before its failure is reported. */
  attempts?: number;
}

interface Bucket extends UploadTarget {
  prefix: string;
  /** For what is read: it may be paused for as long as its reader likes. */
  reader: S3Client;
  silenceMs: number;
}

/** Keeps backups in an S3 bucket. Credentials, region and endpoint come from the AWS SDK's own environment variables. */
export function createS3Storage(options: S3StorageOptions): BackupStorage {
  const { silenceMs = SILENCE_MS } = options;
  const bucket: Bucket = {
    ...{ ...options, silenceMs, cleanUpMs: silenceMs },
    client: createClient(options, { socketTimeout: silenceMs }),
    // The socket's own timeout would also run while the reader pauses; this one ends with the headers.
    reader: createClient(options, { socketTimeout: 0, requestTimeout: silenceMs, throwOnRequestTimeout: true }),
  };
  return {
    urlOf: (key) => `s3://${bucket.bucket}/${fullKey(bucket, key)}`,
    put: (key, content) => upload(bucket, fullKey(bucket, key), content),
    get: (key) => get(bucket, key),
    list: (prefix) => listBucket(bucket, prefix),
    delete: async (key) => {
      await askBucket(bucket, key, () =>
        bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: fullKey(bucket, key) })),
      );
    },
  };
}

/**
 * A server of another make may not know the checksums that the SDK sends by default since 3.729
 * (docs/research/s3-and-ses.md), nor buckets as host names.
 */
function createClient(
  { customEndpoint, client, silenceMs = SILENCE_MS, attempts = 4 }: S3StorageOptions,
  timeouts: { socketTimeout: number; requestTimeout?: number; throwOnRequestTimeout?: boolean },
): S3Client {
  const elsewhere: S3ClientConfig = {
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
  return new S3Client({
    maxAttempts: attempts,
    requestHandler: { connectionTimeout: Math.min(10_000, silenceMs), ...timeouts },
    ...(customEndpoint ? elsewhere : {}),
    ...client,
  });
}

async function get(bucket: Bucket, key: string): Promise<Readable> {
  const answer = await askBucket(bucket, key, () =>
    bucket.reader.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: fullKey(bucket, key) })),
  );
  const body = answer.Body as Readable;
  const content = checkedLength(body, answer.ContentLength, (error, bytes) =>
    s3StorageError(error ?? cutAfter(bytes, answer.ContentLength), bucket.bucket, key),
  );
  const silence = watchSource(body, bucket.silenceMs, () => body.destroy(silent(bucket.silenceMs)));
  body.once('close', () => silence.stop());
  return content;
}

/** As the SDK names it where no answer comes. */
function silent(ms: number): Error {
  return Object.assign(new Error(`the bucket sent nothing for ${ms} ms`), { name: 'TimeoutError' });
}

function cutAfter(bytes: number, length: number | undefined): StorageError {
  const whole = length === undefined ? 'an unknown size' : formatBytes(length);
  const message = `The connection to the bucket broke after ${formatBytes(bytes)} of ${whole}.`;
  return new StorageError('storage_unreachable', message);
}

async function listBucket(bucket: Bucket, prefix: string): Promise<{ key: string; bytes: number }[]> {
  const found: { key: string; bytes: number }[] = [];
  const start = fullKey(bucket, '');
  let token: string | undefined;
  do {
    const request = { Bucket: bucket.bucket, Prefix: start + prefix, ContinuationToken: token };
    const page = await askBucket(bucket, prefix, () => bucket.client.send(new ListObjectsV2Command(request)));
    for (const object of page.Contents ?? []) {
      found.push({ key: (object.Key ?? '').slice(start.length), bytes: object.Size ?? 0 });
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function fullKey(bucket: Bucket, key: string): string {
  return bucket.prefix === '' ? key : `${bucket.prefix}/${key}`;
}

async function askBucket<T>(bucket: Bucket, key: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw s3StorageError(error, bucket.bucket, key);
  }
}
