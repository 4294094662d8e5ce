import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { BOUNDS } from '../../domain/bounds';
import { PilotError, StorageError } from '../../domain/errors';
import { checkedLength } from '../../lib/streams/checked-length';
import { readWithin } from '../../lib/streams/read-within';
import type { BackupStorage } from '../../ports/backup-storage';

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
  /** How often a request is tried, with growing pauses, before its failure is reported. */
  attempts?: number;
}

interface Bucket extends UploadTarget {
  prefix: string;
}

/** Keeps backups in an S3 bucket. Credentials, region and endpoint come from the AWS SDK's own environment variables. */
export function createS3Storage(options: S3StorageOptions): BackupStorage {
  const bucket: Bucket = { ...options, client: createClient(options), cleanUpMs: options.silenceMs ?? SILENCE_MS };
  const storage: BackupStorage = {
    urlOf: (key) => `s3://${bucket.bucket}/${fullKey(bucket, key)}`,
    put: (key, content) => upload(bucket, fullKey(bucket, key), content),
    get: (key) => get(bucket, key),
    list: (prefix) => list(bucket, prefix),
    delete: async (key) => {
      await ask(bucket, key, () =>
        bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: fullKey(bucket, key) })),
      );
    },
    check: () => check(storage),
  };
  return storage;
}

/**
 * A server of another make may not know the checksums that the SDK sends by default since 3.729, nor buckets as host
 * names (facts, S3).
 */
function createClient({ customEndpoint, client, silenceMs = SILENCE_MS, attempts = 4 }: S3StorageOptions): S3Client {
  const elsewhere: S3ClientConfig = {
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
  return new S3Client({
    maxAttempts: attempts,
    requestHandler: { connectionTimeout: Math.min(10_000, silenceMs), socketTimeout: silenceMs },
    ...(customEndpoint ? elsewhere : {}),
    ...client,
  });
}

async function get(bucket: Bucket, key: string): Promise<Readable> {
  const answer = await ask(bucket, key, () =>
    bucket.client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: fullKey(bucket, key) })),
  );
  return checkedLength(answer.Body as Readable, answer.ContentLength, (error, bytes) =>
    asStorageError(error ?? cutAfter(bytes, answer.ContentLength), bucket.bucket, key),
  );
}

function cutAfter(bytes: number, length: number | undefined): StorageError {
  const message = `The connection to the bucket broke after ${bytes} of ${length ?? 'unknown'} bytes.`;
  return new StorageError('storage_unreachable', message);
}

async function list(bucket: Bucket, prefix: string): Promise<{ key: string; bytes: number }[]> {
  const found: { key: string; bytes: number }[] = [];
  const start = fullKey(bucket, '');
  let token: string | undefined;
  do {
    const request = { Bucket: bucket.bucket, Prefix: start + prefix, ContinuationToken: token };
    const page = await ask(bucket, prefix, () => bucket.client.send(new ListObjectsV2Command(request)));
    for (const object of page.Contents ?? []) {
      found.push({ key: (object.Key ?? '').slice(start.length), bytes: object.Size ?? 0 });
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function check(storage: BackupStorage): Promise<void> {
  const key = `check-${randomUUID()}`;
  const written = Buffer.from(`diun-pilot check ${key}\n`);
  await storage.put(key, Readable.from([written]));
  const read = await readWithin(await storage.get(key), BOUNDS.storageCheck);
  const listed = await storage.list(key);
  await storage.delete(key);
  if (read.equals(written) && listed.length === 1) return;
  throw new StorageError('storage_refused', 'The bucket does not give back what was stored in it.');
}

function fullKey(bucket: Bucket, key: string): string {
  return bucket.prefix === '' ? key : `${bucket.prefix}/${key}`;
}

async function ask<T>(bucket: Bucket, key: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw asStorageError(error, bucket.bucket, key);
  }
}

const MIB = 1024 * 1024;
/** 10,000 parts are the most that S3 takes: 156 GiB. Memory is two to four times part size × parallel parts (facts, S3). */
const PART_SIZE = 16 * MIB;
const PARALLEL_PARTS = 2;

export interface UploadTarget {
  client: S3Client;
  bucket: string;
  /** How long each act of clearing away after a failure may take, however the server is. */
  cleanUpMs: number;
}

/**
 * Uploads all of the stream, in parts, or leaves nothing. An error of the stream rejects as it is, one of S3 as a
 * `StorageError`.
 */
export async function upload(target: UploadTarget, key: string, content: Readable): Promise<{ bytes: number }> {
  const address = { Bucket: target.bucket, Key: key };
  const { body, failure } = ownErrorsOf(content);
  const job = new Upload({
    client: target.client,
    params: { ...address, Body: body, ContentType: 'application/octet-stream' },
    partSize: PART_SIZE,
    queueSize: PARALLEL_PARTS,
    // Its own abort would hide the first error behind one of the abort.
    leavePartsOnError: true,
  });
  let bytes = 0;
  job.on('httpUploadProgress', ({ loaded }) => (bytes = loaded ?? bytes));
  try {
    await job.done();
    return { bytes };
  } catch (error) {
    content.destroy();
    const first = failure() ?? asStorageError(error, target.bucket, key);
    const clean = await clearAway(target, address, job.uploadId, isDoubtful(first));
    throw clean ? first : withLeftovers(first);
  }
}

/** Upload destroys what it reads when S3 fails: what it reads is not the content itself, so that the content's own failures are known. */
function ownErrorsOf(content: Readable): { body: Readable; failure: () => Error | undefined } {
  let failure: Error | undefined;
  const body = checkedLength(content, undefined, (cause) => {
    failure = cause instanceof Error ? cause : new Error('The content was cut before its end.');
    return failure;
  });
  // Reported by `done`, or caused by it.
  body.on('error', () => undefined);
  return { body, failure: () => failure };
}

/** The answer to the last request may be what was lost: then the object is there all the same. */
function isDoubtful(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'storage_unreachable';
}

/** When `done` rejects, no part is in progress, so one abort removes them all. False: parts may be left. */
async function clearAway(
  { client, cleanUpMs }: UploadTarget,
  address: { Bucket: string; Key: string },
  UploadId: string | undefined,
  objectToo: boolean,
): Promise<boolean> {
  const within = { abortSignal: AbortSignal.timeout(cleanUpMs) };
  const [aborted] = await Promise.allSettled([
    UploadId === undefined ? null : client.send(new AbortMultipartUploadCommand({ ...address, UploadId }), within),
    objectToo ? client.send(new DeleteObjectCommand(address), within) : null,
  ]);
  return aborted.status === 'fulfilled' || (aborted.reason as Error).name === 'NoSuchUpload';
}

function withLeftovers(first: unknown): unknown {
  if (!(first instanceof StorageError)) return first;
  const advice =
    'Parts of the upload may be left in the bucket: a lifecycle rule AbortIncompleteMultipartUpload removes them.';
  return new StorageError(first.code, `${first.message} ${advice}`, { cause: first.cause });
}

/** The least that the credentials must allow, on the bucket and on `bucket/prefix/*`. */
const ACTIONS = 's3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload';

const WRONG_ACCESS_KEY = 'The access key does not exist: correct AWS_ACCESS_KEY_ID.';

/** What to do, by the name that S3, or the SDK itself, gives to the refusal. */
const REFUSALS: Record<string, string> = {
  NoSuchBucket: 'The bucket does not exist: create it, or correct PILOT_BACKUP_URL.',
  AccessDenied: `The credentials do not allow it: they need ${ACTIONS}.`,
  AllAccessDisabled: 'Access to the bucket is switched off at its owner.',
  AccountProblem: 'There is a problem with the account: look at its console.',
  InvalidAccessKeyId: WRONG_ACCESS_KEY,
  // Versity's gateway.
  XAdminUserNotFound: WRONG_ACCESS_KEY,
  SignatureDoesNotMatch: 'The secret key is wrong: correct AWS_SECRET_ACCESS_KEY.',
  ExpiredToken: 'The credentials have expired: renew them.',
  InvalidToken: 'The session token is wrong: correct AWS_SESSION_TOKEN.',
  RequestTimeTooSkewed: 'The clock of this machine is wrong: set it (NTP).',
  AuthorizationHeaderMalformed: 'The region is wrong: set AWS_REGION to that of the bucket.',
  PermanentRedirect: 'The bucket is in another region: set AWS_REGION to it.',
  CredentialsProviderError: 'There are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
};
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'StorageFull']);

/** What S3 answered, or that it did not, as the port's errors. */
export function asStorageError(error: unknown, bucket: string, key: string): PilotError {
  if (error instanceof PilotError) return error;
  const { name, status, words } = readError(error);
  const options = { cause: error };
  if (name === 'NoSuchKey' || name === 'NotFound') {
    return new StorageError('object_not_found', `${key} is not in the bucket ${bucket}.`, options);
  }
  if (name === 'InvalidObjectState') {
    const message = `${key} in the bucket ${bucket} was moved to an archive class by a lifecycle rule, so it cannot be read now. Bring it back (aws s3api restore-object) and retry; exclude the backups from that rule.`;
    return new StorageError('object_archived', message, options);
  }
  if (FULL.has(name) || status === 507) {
    const advice = 'Free some space there, or raise its quota.';
    return new StorageError('storage_full', `The bucket ${bucket} is full (${name}). ${advice}`, options);
  }
  const refusal = REFUSALS[name] ?? otherRefusal(status, words);
  if (refusal !== null) {
    return new StorageError('storage_refused', `The bucket ${bucket} refuses access (${name}). ${refusal}`, options);
  }
  const advice = 'It is tried again with the next backup; look at the server and the network if it stays so.';
  return new StorageError(
    'storage_unreachable',
    `The bucket ${bucket} does not answer as it should (${name}). ${advice}`,
    options,
  );
}

function otherRefusal(status: number | undefined, words: string): string | null {
  if (words.includes('Region is missing')) return 'No region is set: set AWS_REGION.';
  if (status === 401 || status === 403) return `The credentials need ${ACTIONS}.`;
  return null;
}

function readError(error: unknown): { name: string; status: number | undefined; words: string } {
  const { name, code, message, $metadata } = error as {
    name?: string;
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const plain = name === undefined || name === 'Error' || name === 'AggregateError';
  return { name: (plain ? code : name) ?? 'unknown error', status: $metadata?.httpStatusCode, words: message ?? '' };
}
