import { createHash } from 'node:crypto';
import { NOTICE_TOPICS, type ChannelTarget, type NoticeTopic } from '../domain/channel-notice';
import { Secret } from '../lib/secret';
import { decodes, type Read } from './urls';

/** A channel with the address to call, which may hold a token: http(s), without `?on=`. */
export interface ChannelSetting extends ChannelTarget {
  url: Secret;
}

const KINDS = ['webhook', 'apprise', 'slack', 'discord', 'mattermost'] as const;
const DEFAULT_TOPICS: readonly NoticeTopic[] = ['decisions', 'failures'];
const FORMS =
  'must be addresses separated by commas: ntfy://HOST/TOPIC, ntfys://…, webhook+https://…, apprise+https://HOST/notify/KEY, slack+https://…, discord+https://… or mattermost+https://… (each also +http)';

/** The list of PILOT_NOTIFY_URL. `?on=decisions,failures` has commas of its own: a comma separates only before a scheme. */
export function readNotifyUrls(text: string): Read<ChannelSetting[]> {
  const channels: ChannelSetting[] = [];
  for (const entry of text.split(/,(?=\s*[a-z][a-z0-9+]*:\/\/)/i)) {
    const read = readNotifyUrl(entry.trim());
    if ('problem' in read) return read;
    if (channels.some(({ id }) => id === read.value.id)) return { problem: 'names the same channel twice' };
    channels.push(read.value);
  }
  return { value: channels };
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
