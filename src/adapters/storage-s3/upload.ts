import type { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { StorageError } from '../../domain/errors';
import { checkedLength } from '../../lib/streams/checked-length';
import { asStorageError } from './s3-errors';

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
