import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { freePort } from '../lab/free-port';
import { guests, labDir, scratchRoot } from '../lab/lab';
import { startLasting } from '../lab/lasting-process';
import { ensureS3Program, s3Program } from '../lab/s3-program';
import { Broken, eventually } from './eventually';

export interface S3Server {
  endpoint: string;
  /** As the AWS SDK takes them. */
  sdk: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** A new, empty bucket. */
  bucket(): Promise<string>;
  objects(bucket: string): Promise<string[]>;
  /** Keys of multipart uploads that were neither completed nor aborted. */
  uploads(bucket: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** A real S3 server (versitygw) on a folder of its own. */
export async function startS3Server(): Promise<S3Server> {
  await ensureS3Program((line) => process.stderr.write(`${line}\n`));
  mkdirSync(scratchRoot(labDir()), { recursive: true });
  const folder = mkdtempSync(join(scratchRoot(labDir()), 's3-'));
  const port = await freePort();
  const credentials = { accessKeyId: 'lab', secretAccessKey: randomBytes(12).toString('hex') };
  for (const name of ['data', 'sidecar']) mkdirSync(join(folder, name));
  const server = startLasting(guests(labDir()), {
    name: 's3',
    file: s3Program(),
    // With a sidecar the folder need not be on a file system that keeps extended attributes.
    args: ['--port', `127.0.0.1:${port}`, 'posix', '--sidecar', join(folder, 'sidecar'), join(folder, 'data')],
    env: { ...process.env, ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    logFile: join(folder, 's3.log'),
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await eventually('the S3 server answers', async () => {
    if (!server.running()) throw new Broken(`it ended: ${server.lines().slice(-10).join('\n')}`);
    return (await fetch(endpoint)).status > 0;
  });
  const sdk = { endpoint, region: 'us-east-1', credentials };
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true });
  };
  return { endpoint, sdk, stop, ...administration(new S3Client({ ...sdk, forcePathStyle: true })) };
}

function administration(client: S3Client): Pick<S3Server, 'bucket' | 'objects' | 'uploads'> {
  return {
    bucket: async () => {
      const Bucket = `test-${randomBytes(6).toString('hex')}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      return Bucket;
    },
    objects: async (Bucket) => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
      return Contents.map(({ Key = '' }) => Key);
    },
    uploads: async (Bucket) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return Uploads.map(({ Key = '' }) => Key);
    },
  };
}
