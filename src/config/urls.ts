import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ChannelTarget, NOTICE_TOPICS, type NoticeTopic } from '../domain/channel-notice';
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
  if (!decodes(url.username) || !decodes(url.password)) {
    return { problem: 'has a % in user name or password that encodes nothing: write it as %25' };
  }
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

function decodes(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

/** A channel with the address to call, which may hold a token: http(s), without `?on=`. */
export interface ChannelSetting extends ChannelTarget {
  url: Secret;
}

const KINDS = ['webhook', 'apprise', 'slack', 'discord', 'mattermost'] as const;
const DEFAULT_TOPICS: readonly NoticeTopic[] = ['decisions', 'failures'];
const FORMS =
  'must be addresses separated by commas: ntfy://HOST/TOPIC, ntfys://…, webhook+https://…, apprise+https://HOST/notify/KEY, slack+https://…, discord+https://… or mattermost+https://… (each also +http)';

/**
 * The list of PILOT_NOTIFY_URL. `?on=decisions,failures` has commas of its own: a comma separates only before a scheme. No two have
 * the same name.
 */
export function readNotifyUrls(text: string): Read<ChannelSetting[]> {
  const channels: ChannelSetting[] = [];
  for (const entry of text.split(/,(?=\s*[a-z][a-z0-9+]*:\/\/)/i)) {
    const read = readNotifyUrl(entry.trim());
    if ('problem' in read) return read;
    if (channels.some(({ id }) => id === read.value.id)) return { problem: 'names the same channel twice' };
    channels.push({ ...read.value, name: nameAmong(channels, read.value.name) });
  }
  return { value: channels };
}

/** Numbered where it repeats: the path, by which they differ, may be a token, and a hash of it would prove a guess. */
function nameAmong(earlier: readonly ChannelSetting[], name: string): string {
  const same = earlier.filter((each) => each.name === name || each.name.startsWith(`${name} (`)).length;
  return same === 0 ? name : `${name} (${same + 1})`;
}

function readNotifyUrl(text: string): Read<ChannelSetting> {
  const [, scheme = '', rest = ''] = /^([a-z+]+):\/\/(.+)$/i.exec(text) ?? [];
  const found = kindOf(scheme.toLowerCase());
  const address = found === null ? '' : `${found.protocol}://${rest}`;
  if (found === null || !URL.canParse(address)) return { problem: FORMS };
  const url = new URL(address);
  const topics = readTopics(url.searchParams.get('on'));
  if (topics === null) return { problem: `has an ?on= that is not a list of ${NOTICE_TOPICS.join(', ')}` };
  const problem = whyNot(found.kind, url);
  if (problem !== null) return { problem };
  url.searchParams.delete('on');
  const id = createHash('sha256').update(`${found.kind} ${url.href}`).digest('hex').slice(0, 12);
  const name = `${found.kind} at ${url.host}`;
  return { value: { kind: found.kind, id: `${found.kind}-${id}`, name, topics, url: new Secret(url.href) } };
}

function kindOf(scheme: string): { kind: ChannelTarget['kind']; protocol: 'http' | 'https' } | null {
  if (scheme === 'ntfy') return { kind: 'ntfy', protocol: 'http' };
  if (scheme === 'ntfys') return { kind: 'ntfy', protocol: 'https' };
  const [name, protocol, more] = scheme.split('+');
  const kind = KINDS.find((known) => known === name);
  if (kind === undefined || more !== undefined || (protocol !== 'http' && protocol !== 'https')) return null;
  return { kind, protocol };
}

function readTopics(on: string | null): readonly NoticeTopic[] | null {
  if (on === null) return DEFAULT_TOPICS;
  const topics = on.split(',').map((name) => NOTICE_TOPICS.find((topic) => topic === name.trim()));
  const known = topics.filter((topic) => topic !== undefined);
  return known.length === topics.length ? [...new Set(known)] : null;
}

function whyNot(kind: ChannelTarget['kind'], url: URL): string | null {
  if (url.hash !== '') return 'must not contain #';
  if (!decodes(url.username) || !decodes(url.password)) {
    return 'has a % in user name or password that encodes nothing: write it as %25';
  }
  if (kind === 'ntfy' && !/^\/[A-Za-z0-9_-]{1,64}$/.test(url.pathname)) {
    return 'needs a topic of letters, digits, _ and -: ntfys://HOST/TOPIC';
  }
  if (kind === 'apprise' && !/\/notify\/[^/]+\/?$/.test(url.pathname)) {
    return 'needs the key of an Apprise configuration: apprise+https://HOST/notify/KEY';
  }
  return null;
}

const USUAL = '/var/run/docker.sock';

export interface DockerSocket {
  /** As `DOCKER_HOST` says, else the usual path. */
  path: string;
  /** Number of the group that owns it; null: no socket is there. */
  group: number | null;
}

/** The Docker socket as this process sees it. Reads nothing else of the environment, and creates nothing. */
export function dockerSocket(env: NodeJS.ProcessEnv): DockerSocket {
  // What Compose and YAML read as it is: the path becomes a part of the file of `init`.
  const unix = /^unix:\/\/(\/[\w.@+/-]+)$/.exec(env.DOCKER_HOST?.trim() ?? '')?.[1];
  const path = unix ?? USUAL;
  const stat = statSync(path, { throwIfNoEntry: false });
  return { path, group: stat?.isSocket() === true ? stat.gid : null };
}
