import { BOUNDS } from '../../domain/bounds';
import { MailError } from '../../domain/errors';
import { exchangeInTime, type HttpAnswer } from '../../lib/net/http-exchange';
import { printableLine } from '../../lib/printable';

/** One POST that delivers a notice. */
export interface ChannelCall {
  /** May hold a token: it is never logged. */
  url: string;
  headers: Record<string, string>;
  body: string;
}

const LONGEST_WAIT_MS = 60 * 60_000;
const LONGEST_SAID = 200;
/** Tokens of Slack, Discord and Mattermost have 24 and more; shorter parts of a path are words such as `services`. */
const SHORTEST_TOKEN = 10;
/** Shorter than this is part of any sentence. */
const SHORTEST_SECRET = 4;
/** Answers after which the same call may succeed later: timeout, too early, too many (RFC 9110, 8470, 6585). */
const PASSING = new Set([408, 425, 429]);

/**
 * Makes the call, without following redirects: an address that moved is a setting to correct.
 * Rejects with `MailError`: permanent for 3xx and 4xx, else to be retried. Its message holds none of the `secrets`, also where
 * the service repeats them.
 */
export async function makeCall(call: ChannelCall, service: string, secrets: readonly string[] = []): Promise<void> {
  const answer = await callChannel(call, service);
  if (answer.status >= 200 && answer.status < 300) return;
  const said = without(secrets, printableLine(answer.body.toString('utf8'))).slice(0, LONGEST_SAID);
  const words = `${service} answered ${answer.status}${said === '' ? '' : `: ${said}`}`;
  if (answer.status >= 500 || PASSING.has(answer.status)) {
    const retryAfterMs = readRetryAfter(answer.headers['retry-after'] ?? null, new Date());
    throw new MailError('channel_unreachable', `${words}. It is retried automatically.`, false, { retryAfterMs });
  }
  throw new MailError('channel_refused', `${words}. ${adviceFor(answer.status)}`, true);
}

/** What an answer may repeat of an address, as it is and decoded: its path and parameters, its login, and what is long enough for a token. */
export function secretsIn(address: URL): string[] {
  const { pathname, search, searchParams, username, password } = address;
  const parts = pathname.split('/').filter((part) => part.length >= SHORTEST_TOKEN);
  const [user, secret] = [decoded(username), decoded(password)];
  const basic = secret === '' ? '' : Buffer.from(`${user}:${secret}`).toString('base64');
  const whole = pathname.length > 1 ? [`${pathname}${search}`, pathname] : [];
  return [...whole, search, ...parts, ...parts.map(decoded), ...searchParams.values(), basic, secret, password];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The longest first, since one may hold another. */
function without(secrets: readonly string[], text: string): string {
  return secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
}

/** In seconds, or as an HTTP date (RFC 9110, 10.2.3). Milliseconds from `now` on, an hour at most; 0: there is none. */
export function readRetryAfter(header: string | null, now: Date): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now.getTime();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_WAIT_MS) : 0;
}

function adviceFor(status: number): string {
  if (status < 400) return 'It redirects to another address: enter the final one in PILOT_NOTIFY_URL.';
  if (status === 401 || status === 403) return 'Check the user, password or token in PILOT_NOTIFY_URL.';
  if (status === 404 || status === 410) return 'It does not know the address: check PILOT_NOTIFY_URL.';
  return 'Check PILOT_NOTIFY_URL, then run `diun-pilot check --notify`.';
}

/** The address, which may hold a token, is in no message. */
async function callChannel({ url, headers, body }: ChannelCall, service: string): Promise<HttpAnswer> {
  try {
    return await exchangeInTime({ method: 'POST', url, headers, body, bound: BOUNDS.channelAnswer });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const words = `${service} cannot be reached (${code ?? message}). It is retried automatically.`;
    throw new MailError('channel_unreachable', words, false, { cause: error });
  }
}
