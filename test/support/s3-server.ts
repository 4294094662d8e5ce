import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { run } from '../lab/command';
import { freePort } from '../lab/free-port';
import { guests, labDir, scratchRoot } from '../lab/lab';
import { startLasting } from '../lab/lasting-process';
import { Broken, eventually } from './eventually';

const MODULE = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';

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

/** Why the real S3 server cannot run here; null: it can. */
export function whyNoS3Server(): string | null {
  if (existsSync(binary()) || spawnSync('go', ['version']).status === 0) return null;
  return `the S3 server (${MODULE}) is not in ${binary()}, and there is no Go to build it with`;
}

/** A real S3 server (versitygw) on a folder of its own, built once into the lab's folder: two minutes the first time. */
export async function startS3Server(): Promise<S3Server> {
  if (!existsSync(binary())) await build();
  mkdirSync(scratchRoot(labDir()), { recursive: true });
  const folder = mkdtempSync(join(scratchRoot(labDir()), 's3-'));
  const port = await freePort();
  const credentials = { accessKeyId: 'lab', secretAccessKey: randomBytes(12).toString('hex') };
  for (const name of ['data', 'sidecar']) mkdirSync(join(folder, name));
  const server = startLasting(guests(labDir()), {
    name: 's3',
    file: binary(),
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

function binary(): string {
  return join(labDir(), 'bin', 'versitygw');
}

async function build(): Promise<void> {
  process.stderr.write(`building the S3 server (${MODULE}), about two minutes\n`);
  await run('go', ['install', MODULE], { env: { ...process.env, GOBIN: join(labDir(), 'bin') }, timeoutMs: 900_000 });
}
