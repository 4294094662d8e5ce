/** What a request line asks for, as far as the filter looks at it. */
export interface Asked {
  method: string;
  /** As it was sent: nothing is decoded. */
  url: string;
}

const PLACES: Record<string, string> = {
  /** A container, network or command, by id or name. */
  '{id}': '[A-Za-z0-9_.-]+',
  /** An image: host, port, path, tag, digest. */
  '{name}': '[A-Za-z0-9_.:@/-]+',
};

/**
 * Tells whether a request is one of the listed calls (`GET /containers/{id}/json`), with or without a version before it.
 * What could be read in two ways (encoded characters, `.` and empty segments) is none. HEAD counts as GET.
 */
export function callFilter(listed: readonly string[]): (asked: Asked) => boolean {
  const patterns = listed.map(patternOf);
  return ({ method, url }) => {
    const [path = ''] = url.split('?', 1);
    if (/\/\.{0,2}(?:\/|$)/.test(path)) return false;
    const line = `${method === 'HEAD' ? 'GET' : method} ${path.replace(/^\/v1\.\d{1,3}(?=\/)/, '')}`;
    return patterns.some((pattern) => pattern.test(line));
  };
}

function patternOf(call: string): RegExp {
  const parts = call.split(/(\{\w+\})/).map((part) => PLACES[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('')}$`);
}
