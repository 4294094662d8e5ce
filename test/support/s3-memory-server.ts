import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface S3MemoryServer {
  endpoint: string;
  objects: Map<string, Buffer>;
  /** Keys of multipart uploads that were neither completed nor aborted. */
  uploads(): string[];
  stop(): Promise<void>;
}

interface Upload {
  key: string;
  parts: Map<number, Buffer>;
}

/**
 * As much of S3 as the storage speaks, in memory, for one bucket: for faults on the wire, where what is behind them does
 * not matter. It believes every signature; the real server is in test/e2e/s3-storage.test.ts.
 */
export async function startS3MemoryServer(bucket: string): Promise<S3MemoryServer> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Upload>();
  const server = createServer((request, response) => {
    answer(bucket, objects, uploads, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    uploads: () => [...uploads.values()].map(({ key }) => key),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Headers of checksums that the SDK sends to Amazon since 3.729, and that servers of another make do not know (docs/research/s3-and-ses.md). */
function isNewer(header: string): boolean {
  return /^x-amz-(checksum-(?!mode)|sdk-checksum-|trailer)/.test(header);
}

async function answer(
  bucket: string,
  objects: Map<string, Buffer>,
  uploads: Map<string, Upload>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://s3');
  const [, name = '', ...rest] = decodeURIComponent(url.pathname).split('/');
  const key = rest.join('/');
  const body = await buffer(request);
  if (name !== bucket) return refuse(response, 404, 'NoSuchBucket');
  if (Object.keys(request.headers).some(isNewer)) return refuse(response, 501, 'NotImplemented');
  const hash = request.headers['x-amz-content-sha256'];
  if (typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) && hash !== sha256(body)) {
    return refuse(response, 400, 'XAmzContentSHA256Mismatch');
  }
  if (url.searchParams.has('uploads')) return begin(response, uploads, key);
  const uploadId = url.searchParams.get('uploadId');
  if (uploadId !== null) return part(response, objects, uploads, uploadId, request.method, url, body);
  if (key === '') return list(response, objects, url.searchParams.get('prefix') ?? '');
  return object(response, objects, request.method, key, body);
}

function object(
  response: ServerResponse,
  objects: Map<string, Buffer>,
  method: string | undefined,
  key: string,
  body: Buffer,
): void {
  if (method === 'PUT') {
    objects.set(key, body);
    return reply(response, 200, '', { ETag: etag(body) });
  }
  if (method === 'DELETE') {
    objects.delete(key);
    return reply(response, 204);
  }
  const found = objects.get(key);
  if (found === undefined) return refuse(response, 404, 'NoSuchKey');
  response.writeHead(200, { 'Content-Length': found.length, ETag: etag(found) });
  response.end(found);
}

function begin(response: ServerResponse, uploads: Map<string, Upload>, key: string): void {
  const id = `upload-${key.length}-${uploads.size}-${Math.random().toString(36).slice(2)}`;
  uploads.set(id, { key, parts: new Map() });
  const xml = `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
  reply(response, 200, xml);
}

function part(
  response: ServerResponse,
  objects: Map<string, Buffer>,
  uploads: Map<string, Upload>,
  id: string,
  method: string | undefined,
  url: URL,
  body: Buffer,
): void {
  const upload = uploads.get(id);
  if (upload === undefined) return refuse(response, 404, 'NoSuchUpload');
  if (method === 'PUT') {
    upload.parts.set(Number(url.searchParams.get('partNumber')), body);
    return reply(response, 200, '', { ETag: etag(body) });
  }
  uploads.delete(id);
  if (method === 'DELETE') return reply(response, 204);
  const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, content]) => content);
  objects.set(upload.key, Buffer.concat(parts));
  reply(response, 200, '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>');
}

function list(response: ServerResponse, objects: Map<string, Buffer>, prefix: string): void {
  const found = [...objects].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  const contents = found.map(
    ([key, content]) => `<Contents><Key>${key}</Key><Size>${content.length}</Size></Contents>`,
  );
  reply(response, 200, `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  reply(response, status, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

function reply(response: ServerResponse, status: number, xml = '', headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/xml', ...headers });
  response.end(xml === '' ? '' : `<?xml version="1.0" encoding="UTF-8"?>${xml}`);
}

function etag(content: Buffer): string {
  return `"${createHash('md5').update(content).digest('hex')}"`;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
