import { fileURLToPath } from 'node:url';
import { Secret } from '../lib/secret';

/** A value, or the problem as text. */
export type Read<T> = { value: T } | { problem: string };

/** `directory` null: the usual folder in the data directory. */
export type BackupTarget =
  | { kind: 'file'; directory: string | null }
  | { kind: 's3'; bucket: string; prefix: string }
  | { kind: 'restic'; repository: Secret };
export type MailTarget = { kind: 'file'; directory: string | null } | { kind: 'ses' } | { kind: 'smtp'; url: Secret };

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export function readHttpUrl(text: string): Read<string> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return { problem: 'must be an address that begins with http:// or https://' };
  }
  if (url.username !== '' || url.password !== '') return { problem: 'must not contain a user name or password' };
  if (url.search !== '' || url.hash !== '') return { problem: 'must not contain ? or #' };
  return { value: url.href };
}

/** May hold a token, a user name and a password, and parameters such as those of Uptime Kuma. */
export function readHeartbeatUrl(text: string): Read<Secret> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return { problem: 'must be an address that begins with http:// or https://' };
  }
  if (url.hash !== '') return { problem: 'must not contain #' };
  return { value: new Secret(url.href) };
}

export function readBackupUrl(text: string): Read<BackupTarget> {
  if (text.startsWith('file:')) return readFolder(text);
  if (text.startsWith('restic:')) return readRepository(text.slice('restic:'.length));
  const url = text.startsWith('s3://') && URL.canParse(text) ? new URL(text) : null;
  if (url === null) return { problem: 'must be file:, file:///folder, s3://bucket/prefix or restic:REPOSITORY' };
  if (url.username !== '' || url.password !== '') {
    return { problem: "must not contain credentials: the AWS SDK's own variables hold them" };
  }
  if (url.host === '') return { problem: 'needs a bucket: s3://bucket/prefix' };
  if (!BUCKET.test(url.host))
    return { problem: 'names a bucket that cannot exist: 3 to 63 of a-z, 0-9, dot and hyphen' };
  if (url.search !== '' || url.hash !== '') return { problem: 'must not contain ? or #' };
  return { value: { kind: 's3', bucket: url.host, prefix: decode(url.pathname).replace(/^\/+|\/+$/g, '') } };
}

export function readMailUrl(text: string): Read<MailTarget> {
  if (text.startsWith('file:')) return readFolder(text);
  if (text === 'ses:') return { value: { kind: 'ses' } };
  const isSmtp = /^smtps?:\/\//.test(text) && URL.canParse(text);
  if (!isSmtp) return { problem: 'must be file:, ses:, smtp://user:password@host:port or smtps://…' };
  const url = new URL(text);
  if (url.hostname === '') return { problem: 'needs a host: smtp://user:password@host:port' };
  if (!decodes(url.username) || !decodes(url.password)) {
    return { problem: 'has a % in user name or password that encodes nothing: write it as %25' };
  }
  return { value: { kind: 'smtp', url: new Secret(text) } };
}

/** restic's own syntax; it may hold credentials (`rest:https://user:password@host/`). A relative folder would depend on where it runs. */
function readRepository(repository: string): Read<BackupTarget> {
  const isBackend = /^[a-z0-9]+:./.test(repository);
  if (!isBackend && !repository.startsWith('/')) {
    return {
      problem:
        'must be restic: and a repository of restic: restic:/folder, restic:s3:https://host/bucket, restic:sftp:…',
    };
  }
  return { value: { kind: 'restic', repository: new Secret(repository) } };
}

function readFolder(text: string): Read<{ kind: 'file'; directory: string | null }> {
  if (text === 'file:') return { value: { kind: 'file', directory: null } };
  const problem = 'must be file: or file:///folder, with an absolute folder';
  if (!/^file:\/\/\/[^?#]+$/.test(text) || !URL.canParse(text)) return { problem };
  try {
    return { value: { kind: 'file', directory: fileURLToPath(text) } };
  } catch {
    return { problem };
  }
}

const decode = (part: string): string => (decodes(part) ? decodeURIComponent(part) : part);

export function decodes(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
