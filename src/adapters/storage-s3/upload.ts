import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { StorageError } from '../../domain/errors';
import { checkedLength } from '../../lib/streams';
import { s3StorageError } from './s3-errors';

const MiB = 1024 * 1024;

/** S3 takes 10,000 parts: 8,000 small ones, for little memory, and then large ones, for 187 GiB in all. */
export const PARTS: PartSizes = { first: 8 * MiB, firstParts: 8_000, then: 64 * MiB };
const MOST_PARTS = 10_000;

export interface PartSizes {
  /** Bytes of each of the first parts. Some servers (Cloudflare R2) take only parts of one size. */
  first: number;
  firstParts: number;
  /** Bytes of each later part. */
  then: number;
}

export interface UploadTarget {
  client: S3Client;
  bucket: string;
  /** How long each act of clearing away after a failure may take, however the server is. */
  cleanUpMs: number;
  parts?: PartSizes;
}

interface Address {
  Bucket: string;
  Key: string;
}

/**
 * Uploads all of the stream, in parts, or leaves nothing. An error of the stream rejects as it is, one of S3 as a
 * `StorageError`. One part is sent while the next is read, in two buffers of 8 MiB: `Upload` of @aws-sdk/lib-storage holds
 * two to four times as much for the same (docs/research/s3-and-ses.md).
 */
export async function upload(target: UploadTarget, key: string, content: Readable): Promise<{ bytes: number }> {
  const address = { Bucket: target.bucket, Key: key };
  const { body, failure } = ownErrorsOf(content);
  const parts = new Parts(target.client, address);
  try {
    return { bytes: await sendAll(target, address, parts, body) };
  } catch (error) {
    content.destroy();
    const first = failure() ?? s3StorageError(error, target.bucket, key);
    await parts.settled();
    const clean = await clearAway(target, address, parts.uploadId, isDoubtful(first));
    throw clean ? first : withLeftovers(first);
  }
}

async function sendAll(target: UploadTarget, address: Address, parts: Parts, body: Readable): Promise<number> {
  const { first, firstParts, then } = target.parts ?? PARTS;
  const reader = new BufferFiller(body);
  const buffers = [Buffer.alloc(0), Buffer.alloc(0)];
  let bytes = 0;
  for (let number = 1; ; number++) {
    const size = number <= firstParts ? first : then;
    // The other of the two is being sent; this one was sent before it.
    const mine = number % 2;
    let buffer = buffers[mine];
    if (buffer?.length !== size) buffers[mine] = buffer = Buffer.allocUnsafeSlow(size);
    const read = await reader.fill(buffer);
    bytes += read.length;
    const isLast = read.length < size;
    if (isLast && number === 1) {
      await target.client.send(new PutObjectCommand({ ...address, Body: read, ContentType: CONTENT_TYPE }));
      return bytes;
    }
    if (read.length > 0) await parts.send(number, read);
    if (!isLast) continue;
    await parts.complete();
    return bytes;
  }
}

const CONTENT_TYPE = 'application/octet-stream';

/** A multipart upload: at most one part is in progress. */
class Parts {
  uploadId: string | undefined;
  readonly #completed: CompletedPart[] = [];
  #inProgress: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: S3Client,
    private readonly address: Address,
  ) {}

  /** Resolves once the part before has arrived, so that its buffer is free; this one is then being sent. */
  async send(number: number, content: Buffer): Promise<void> {
    if (number > MOST_PARTS) throw objectTooLarge(this.address);
    await this.#inProgress;
    this.uploadId ??= await this.#create();
    this.#inProgress = this.#sendPart(number, content);
    // Reported by the next call that waits for it.
    this.#inProgress.catch(() => undefined);
  }

  async complete(): Promise<void> {
    await this.#inProgress;
    const MultipartUpload = { Parts: this.#completed };
    await this.client.send(
      new CompleteMultipartUploadCommand({ ...this.address, UploadId: this.uploadId, MultipartUpload }),
    );
  }

  /** When no part is in progress, however it ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#inProgress]);
  }

  /** Parts that carry a checksum are refused by an upload that was not announced with it. */
  async #create(): Promise<string | undefined> {
    const checksums = (await this.client.config.requestChecksumCalculation()) === 'WHEN_SUPPORTED';
    const announced = checksums ? { ChecksumAlgorithm: 'CRC32' as const } : {};
    const request = { ...this.address, ContentType: CONTENT_TYPE, ...announced };
    return (await this.client.send(new CreateMultipartUploadCommand(request))).UploadId;
  }

  async #sendPart(PartNumber: number, Body: Buffer): Promise<void> {
    const request = { ...this.address, UploadId: this.uploadId, PartNumber, Body };
    const { ETag, ChecksumCRC32 } = await this.client.send(new UploadPartCommand(request));
    this.#completed.push({ PartNumber, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) });
  }
}

/** Reads a stream buffer by buffer, each filled to its end but for the last. */
class BufferFiller {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(content: Readable) {
    this.#chunks = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async fill(buffer: Buffer): Promise<Buffer> {
    let filled = 0;
    while (filled < buffer.length) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) break;
        this.#rest = next.value;
      }
      const copied = this.#rest.copy(buffer, filled);
      filled += copied;
      this.#rest = this.#rest.subarray(copied);
    }
    return buffer.subarray(0, filled);
  }
}

function objectTooLarge({ Key }: Address): StorageError {
  const message = `${Key} is larger than 187 GiB, the most that diun-pilot stores in one object of S3. Name smaller folders in the label backup.paths, or use a restic storage.`;
  return new StorageError('storage_refused', message);
}

/** What is read is not the content itself, so that the content's own failures are known when it is destroyed for those of S3. */
function ownErrorsOf(content: Readable): { body: Readable; failure: () => Error | undefined } {
  let failure: Error | undefined;
  const body = checkedLength(content, undefined, (cause) => {
    failure = cause instanceof Error ? cause : new Error('The content was cut before its end.');
    return failure;
  });
  // Reported by who reads it, or caused by it.
  body.on('error', () => undefined);
  return { body, failure: () => failure };
}

/** The answer to the last request may be what was lost: then the object is there all the same. */
function isDoubtful(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'storage_unreachable';
}

/** No part is in progress, so one abort removes them all. False: parts may be left. */
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
