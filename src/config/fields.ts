import { isIP } from 'node:net';
import { z } from 'zod';
import type { Retention } from '../domain/backups/retention';
import { readWindow, type UpdateWindow } from '../domain/decision/update-window';
import type { NotesHost } from '../domain/notes/source';
import { parseDuration } from '../domain/format';
import { nextDue } from '../lib/due-times';
import { readVerify, type VerifyRule } from '../domain/signatures/signature';
import { Secret } from '../lib/secret';
import { type Read, readBackupUrl, readHeartbeatUrl, readHttpUrl, readMailUrl, readNotifyUrls } from './urls';
import { withoutTrailingSlashes } from '../domain/text/trailing-slashes';

/** The problem of a cron expression as text; null when it has a next time. */
function whyCronIsInvalid(expression: string): string | null {
  const problem = 'must be off or a cron expression of five fields such as 30 3 * * 0';
  const fields = expression.trim().split(/\s+/);
  // The parser takes a year, and names such as @daily, too: neither is documented.
  if (fields.length < 5 || fields.length > 6 || !fields.every((field) => /^[\d*,/\-a-z?]+$/i.test(field)))
    return problem;
  try {
    nextDue({ expression, timeZone: 'UTC' }, new Date(0));
    return null;
  } catch {
    return problem;
  }
}

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
function readNotesTokens(text: string): Read<ReadonlyMap<string, Secret>> {
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

// One zod type for each kind of setting: from the text of the environment to a value, or to a problem as text. A problem
// never repeats the text of a setting that may be a secret.

const YEAR = 365 * 86_400_000;
const MOST_KEPT = 1000;

/** A zod type from a function that returns a value or a problem. */
function read<T>(reader: (text: string) => Read<T>): z.ZodType<T, string> {
  return z.string().transform((input, context) => {
    const result = reader(input);
    if ('value' in result) return result.value;
    context.addIssue({ code: 'custom', message: result.problem });
    return z.NEVER;
  });
}

export const text = z
  .string()
  .refine((value) => !/\p{Cc}/u.test(value), 'must not contain line breaks or control characters');

export const hostName = text.refine(
  (value) => isIP(value) !== 0 || (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value) && !/(^|\.)\d+$/.test(value)),
  'must be an address or a host name such as 0.0.0.0',
);

/** Of a network every address counts, so one that covers everything is a mistake. */
function isProxy(entry: string): boolean {
  const [address = '', bits] = entry.split('/');
  const family = isIP(address);
  if (bits === undefined) return hostName.safeParse(entry).success;
  return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (family === 6 ? 128 : 32);
}

export const proxies = read<string[]>((input) => {
  const entries = input.split(',').map((entry) => entry.trim());
  return entries.every(isProxy)
    ? { value: entries }
    : {
        problem: 'must be addresses, networks or host names separated by commas, such as 10.1.2.3, 10.1.2.0/24 or edge',
      };
});

export const port = read<number>((input) =>
  /^\d{1,5}$/.test(input) && Number(input) <= 65535
    ? { value: Number(input) }
    : { problem: 'must be a port number from 0 to 65535' },
);

export const duration = read<number>((input) => {
  const ms = parseDuration(input);
  if (ms === null) return { problem: 'must be a duration such as 90s, 10m or 72h' };
  return ms <= YEAR ? { value: ms } : { problem: 'must be at most 365d' };
});

/** `0` switches off what the duration is of. */
export const durationOrNone = read<number>((input) => {
  if (/^0[smhd]?$/.test(input)) return { value: 0 };
  const ms = parseDuration(input);
  if (ms === null) return { problem: 'must be 0 or a duration such as 30m or 1h' };
  return ms <= YEAR ? { value: ms } : { problem: 'must be at most 365d' };
});

export const count = read<number>((input) =>
  /^\d{1,3}$/.test(input) ? { value: Number(input) } : { problem: 'must be a number from 0 to 999' },
);

export const updateWindow = read<UpdateWindow>((input) => {
  const window = readWindow(input);
  return 'problem' in window ? window : { value: window };
});

export const verifyRule = read<VerifyRule>((input) => {
  const rule = readVerify(input);
  return 'problem' in rule ? rule : { value: rule };
});

export const absolutePath = text.refine((value) => value.startsWith('/'), 'must be an absolute path');

const SHORTEST_INTERVAL = 10_000;
const LONGEST_INTERVAL = 86_400_000;

export const interval = read<number>((input) => {
  const ms = parseDuration(input);
  if (ms === null) return { problem: 'must be a duration such as 60s, 5m or 1h' };
  return ms >= SHORTEST_INTERVAL && ms <= LONGEST_INTERVAL ? { value: ms } : { problem: 'must be from 10s to 24h' };
});

export const choice = <const T extends string>(values: readonly T[]): z.ZodType<T, string> =>
  read<T>((input) => {
    const value = values.find((known) => known === input);
    return value === undefined ? { problem: `must be one of ${values.join(', ')}` } : { value };
  });

export const httpUrl = read((input) => readHttpUrl(input));
export const publicUrl = read<string>((input) => {
  const url = readHttpUrl(input);
  return 'value' in url ? { value: withoutTrailingSlashes(url.value) } : url;
});
export const backupTarget = read(readBackupUrl);
export const mailTarget = read(readMailUrl);
export const notifyUrls = read(readNotifyUrls);
export const notesHosts = read(readNotesHosts);
export const notesTokens = read(readNotesTokens);
export const heartbeatUrl = read(readHeartbeatUrl);

/** As standardwebhooks.com asks: 24 to 64 bytes in base64 behind `whsec_`. */
export const notifySecret = read<Secret>((input) => {
  const bytes = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(input)?.[1];
  const length = bytes === undefined ? 0 : Buffer.from(bytes, 'base64').length;
  return length >= 24 && length <= 64
    ? { value: new Secret(input) }
    : { problem: 'must be whsec_ and 24 to 64 bytes in base64: echo "whsec_$(openssl rand -base64 32)"' };
});

export const dockerHost = text.refine(
  (value) => /^unix:\/\/\/\S+$/.test(value) || (/^(?:tcp|https?):\/\/[^/\s]/.test(value) && URL.canParse(value)),
  'must look like unix:///var/run/docker.sock or tcp://host:2375; for ssh:// forward the socket, or use a proxy',
);

export const secretText = text.transform((value) => new Secret(value));

export const cron = read<string | null>((input) => {
  if (input === 'off') return { value: null };
  const problem = whyCronIsInvalid(input);
  return problem === null ? { value: input } : { problem };
});

export const timeZone = read<string>((input) => {
  const name = input.replace(/^:/, '');
  try {
    return { value: new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone };
  } catch {
    return { problem: 'must be the name of a time zone such as Europe/Berlin' };
  }
});

/** At least one backup must be kept, or every prune would delete all of them. */
export const retention = read<Retention>((input) => {
  const kept = { d: 0, w: 0, m: 0 };
  const parts = input.split(',').map((part) => /^\s*(\d{1,4})([dwm])\s*$/.exec(part));
  const units = parts.map((part) => part?.[2]);
  if (parts.includes(null) || new Set(units).size < units.length) {
    return { problem: 'must look like 7d,4w,6m: how many daily, weekly and monthly backups are kept' };
  }
  for (const part of parts) kept[part?.[2] as keyof typeof kept] = Number(part?.[1]);
  const numbers = Object.values(kept);
  if (numbers.every((number) => number === 0)) return { problem: 'must keep at least one backup' };
  if (numbers.some((number) => number > MOST_KEPT)) return { problem: `must keep at most ${MOST_KEPT} of each kind` };
  return { value: { daily: kept.d, weekly: kept.w, monthly: kept.m } };
});

const MAILBOX = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/;

/** `pilot@example.org` or `Diun Pilot <pilot@example.org>`; nothing that could begin another header. */
function readAddress(input: string): Read<string> {
  const [, name, inner] = /^([^<>,]*)<([^<>]*)>$/.exec(input.trim()) ?? [];
  const broken = /\p{Cc}/u.test(input) || !MAILBOX.test(inner ?? input.trim());
  if (broken) return { problem: 'must be a mail address such as pilot@example.org, without line breaks' };
  return { value: name === undefined ? input.trim() : `${name.trim()} <${inner}>`.trim() };
}

export const address = read(readAddress);

export const addresses = read<string[]>((input) => {
  const all = input.split(',').map(readAddress);
  const broken = all.find((one) => 'problem' in one);
  if (broken !== undefined) return { problem: 'must be mail addresses separated by commas, without line breaks' };
  return { value: all.flatMap((one) => ('value' in one ? [one.value] : [])) };
});

/** One or more tokens separated by commas; how strong they are is the operator's affair. */
export const tokens = (most: number): z.ZodType<Secret[], string> =>
  read<Secret[]>((input) => {
    const values = input.split(',').map((token) => token.trim());
    if (values.length > most)
      return { problem: most === 1 ? 'must be one token, without a comma' : `must be at most ${most} tokens` };
    if (values.includes('')) return { problem: 'must not be empty: openssl rand -hex 32' };
    if (values.some((token) => !/^[\x21-\x7e]+$/.test(token))) {
      return { problem: 'must be printable ASCII without blanks, or no header can carry it' };
    }
    return { value: values.map((token) => new Secret(token)) };
  });
