import { existsSync, readFileSync } from 'node:fs';

const SOURCES = '/etc/apt/sources.list.d/debian.sources';

/** Where this machine itself gets its Debian packages from; the lab writes no host name of its own. */
export interface DebianMirror {
  main: string;
  security: string | null;
  keyring: string;
}

/** Reads the machine's deb822 sources; null when the machine has none, so is no Debian as the lab knows it. */
export function machinesMirror(): DebianMirror | null {
  if (!existsSync(SOURCES)) return null;
  const stanzas = readFileSync(SOURCES, 'utf8')
    .split(/\n\s*\n/)
    .map(fields);
  const main = stanzas.find((stanza) => /^[a-z]+( |$)/.test(stanza['suites'] ?? ''));
  if (!main?.['uris']) return null;
  const security = stanzas.find((stanza) => (stanza['suites'] ?? '').includes('-security'));
  return {
    main: first(main['uris']),
    security: security?.['uris'] ? first(security['uris']) : null,
    keyring: main['signed-by'] ?? '/usr/share/keyrings/debian-archive-keyring.gpg',
  };
}

/** A deb822 sources file for one release, on the machine's mirror. */
export function sourcesFor(suite: string, mirror: DebianMirror): string {
  const stanza = (uri: string, suites: string) =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${mirror.keyring}\n`;
  const stanzas = [stanza(mirror.main, `${suite} ${suite}-updates`)];
  if (mirror.security) stanzas.push(stanza(mirror.security, `${suite}-security`));
  return stanzas.join('\n');
}

function fields(stanza: string): Record<string, string> {
  const lines = stanza.split('\n').filter((line) => /^[A-Za-z-]+:/.test(line));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

function first(words: string): string {
  return words.split(/\s+/)[0] ?? words;
}
