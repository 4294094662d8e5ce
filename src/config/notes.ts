import type { NotesHost } from '../domain/notes/hosts';
import { Secret } from '../lib/secret';
import type { Read } from './urls';

/** `git.example.org` (https, any port) or `git.lan:3000` (also plain HTTP), separated by commas. */
export function readNotesHosts(text: string): Read<NotesHost[]> {
  const hosts = text.split(',').map((entry) => readHost(entry.trim()));
  const known = hosts.filter((host) => host !== null);
  if (known.length < hosts.length)
    return {
      problem: 'must be host names separated by commas, each with its port if it is not that of https: git.lan:3000',
    };
  return { value: known };
}

/** `host=token` pairs, separated by commas. The problem never repeats what may be a token. */
export function readNotesTokens(text: string): Read<ReadonlyMap<string, Secret>> {
  const tokens = new Map<string, Secret>();
  for (const entry of text.split(',')) {
    const [, name = '', token = ''] = /^\s*([^=\s]+)=([\x21-\x2b\x2d-\x7e]+)\s*$/.exec(entry) ?? [];
    const host = readHost(name);
    if (host === null || token === '')
      return { problem: 'must be pairs such as github.com=TOKEN, separated by commas; tokens are printable ASCII' };
    const key = host.port === null ? host.host : `${host.host}:${host.port}`;
    if (tokens.has(key)) return { problem: 'names the same host twice' };
    tokens.set(key, new Secret(token));
  }
  return { value: tokens };
}

/** As an address would have it, so that both are compared in the same spelling. */
function readHost(entry: string): NotesHost | null {
  if (!/^[a-z0-9[\]:.-]+$/i.test(entry) || !URL.canParse(`http://${entry}/`)) return null;
  const url = new URL(`http://${entry}/`);
  if (url.hostname === '') return null;
  const port = /:(\d{1,5})$/.exec(entry.replace(/^\[[^\]]*\]/, ''))?.[1];
  return { host: url.hostname, port: port === undefined ? null : Number(port) };
}
