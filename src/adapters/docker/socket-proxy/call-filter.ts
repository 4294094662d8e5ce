import { CALL_PARAMETERS } from '../calls';

/** What a request asks for, as far as the filter reads it. */
export interface Asked {
  method: string;
  /** As it was sent: nothing is decoded. */
  url: string;
  contentType?: string | undefined;
}

const PLACES: Record<string, string> = {
  /** A container, network or command, by id or name. */
  '{id}': '[A-Za-z0-9_.-]+',
  /** An image: host, port, path, tag, digest. */
  '{name}': '[A-Za-z0-9_.:@/-]+',
};

/** The engine reads a form in the body like the query, and first; its own clients send none. */
const BODY_TYPES = /^application\/(?:json|x-tar|tar|octet-stream)\s*(?:;|$)/i;

/** A listed call, as it was sent. */
export interface MatchedCall {
  /** As it is listed: `POST /containers/{id}/exec`. */
  call: string;
  /** `/v1.45`; empty: none was sent. */
  version: string;
  /** What stands for `{id}` or `{name}`. */
  place: string;
  query: string;
}

/**
 * Finds the listed call (`GET /containers/{id}/json`) that a request is, with or without a version in front, and with no parameter
 * but its own; null: it is none. What could be read in two ways (encoded characters, `.` and empty segments) is refused. HEAD
 * counts as GET.
 */
export function callMatcher(listed: readonly string[]): (asked: Asked) => MatchedCall | null {
  const calls = listed.map((call) => ({ call, pattern: patternOf(call), parameters: parametersOf(call) }));
  return ({ method, url, contentType }) => {
    const at = url.indexOf('?');
    const [path, query] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
    if (/\/\.{0,2}(?:\/|$)/.test(path)) return null;
    const version = /^\/v1\.\d{1,3}(?=\/)/.exec(path)?.[0] ?? '';
    const line = `${method === 'HEAD' ? 'GET' : method} ${path.slice(version.length)}`;
    const found = calls.find(({ pattern }) => pattern.test(line));
    if (found === undefined) return null;
    const { call, parameters } = found;
    const passes =
      parameters === 'any' ||
      (hasOnly(parameters, query) && (contentType === undefined || BODY_TYPES.test(contentType)));
    return passes ? { call, version, query, place: found.pattern.exec(line)?.[1] ?? '' } : null;
  };
}

/** A call that changes nothing cannot do so by a parameter. */
function parametersOf(call: string): readonly string[] | 'any' {
  if (call.startsWith('GET ')) return 'any';
  return (CALL_PARAMETERS as Record<string, readonly string[]>)[call] ?? [];
}

function hasOnly(parameters: readonly string[], query: string): boolean {
  const pairs = query.split('&').filter((pair) => pair !== '');
  return !query.includes(';') && pairs.every((pair) => parameters.includes(pair.split('=', 1)[0] ?? ''));
}

function patternOf(call: string): RegExp {
  const parts = call
    .split(/(\{\w+\})/)
    .map((part) => (PLACES[part] ? `(${PLACES[part]})` : undefined) ?? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('')}$`);
}
