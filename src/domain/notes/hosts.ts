/** A host from which release notes may be read. */
export interface NotesHost {
  /** Lower case; IPv6 in brackets, as in an address. */
  host: string;
  /** Null: any, by https only. A host with its port may also speak plain HTTP: the operator named the very service. */
  port: number | null;
}

/** The public forges, by https at its own port. */
export const PUBLIC_FORGES: readonly string[] = [
  'github.com',
  'api.github.com',
  'gitlab.com',
  'codeberg.org',
  'gitea.com',
];

/** Whether the operator listed it: then its address may be a private one. */
export function isListed(url: URL, hosts: readonly NotesHost[]): boolean {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  return hosts.some(
    (known) => known.host === url.hostname && (known.port === null ? url.protocol === 'https:' : known.port === port),
  );
}

/** Why release notes are not read from there, as a sentence that says what to do; null: they may be. */
export function whyNotAllowed(url: URL, hosts: readonly NotesHost[]): string | null {
  if (isListed(url, hosts)) return null;
  const isPublic = PUBLIC_FORGES.includes(url.hostname);
  if (isPublic && url.protocol === 'https:' && url.port === '') return null;
  const entry = url.protocol === 'https:' && url.port === '' ? url.host : hostAndPort(url);
  if (url.protocol !== 'https:')
    return `${url.host} does not use TLS: use https://, or list ${entry} in PILOT_NOTES_HOSTS.`;
  return `${url.host} is not a host from which release notes may be read: list ${entry} in PILOT_NOTES_HOSTS.`;
}

function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
