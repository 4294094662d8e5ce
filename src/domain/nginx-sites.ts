import { posix } from 'node:path';
import { PilotError } from './errors';
import { compileGlob } from './glob';
import { nginxTokens } from './nginx-tokens';
import { Steps } from './steps';

/** A certificate that an nginx is told to serve. */
export interface NginxSite {
  /** `ssl_certificate` as the configuration says it; more than one when it has several kinds of key. */
  paths: string[];
  /** What to ask for it with: a `server_name` without wildcard; null: it has none. */
  name: string | null;
  port: number;
  /** It expects a PROXY protocol header before the handshake. */
  proxyProtocol: boolean;
}

interface Directive {
  name: string;
  args: string[];
  block: Directive[];
}

/** `nginx -T` prints every file of the configuration under its name. */
const FILE_HEAD = '# configuration file ';
const DEEPEST = 20;
/** Characters that are read, and places of a pattern that are compared; the largest configuration that is read has 4 million characters. */
const MOST_STEPS = 12_000_000;
/** A directive takes memory, too. */
const STEPS_OF_A_DIRECTIVE = 20;

/**
 * Every certificate that a configuration serves over TLS, from what `nginx -T` printed; one entry for each file and port.
 * Includes, relative paths and inherited `ssl_certificate` are followed; paths with variables, `data:` and sockets are left out, since
 * only nginx knows what they lead to. The text comes from inside a container: the work on it is counted, and what takes too
 * many steps rejects with `certificate_unreadable`.
 */
export function nginxSites(dump: string, mostSteps = MOST_STEPS): NginxSite[] {
  const steps = new Steps(mostSteps, tooMuchWork);
  const files = filesOf(dump, steps);
  const main = [...files.keys()][0] ?? '';
  const folder = posix.dirname(main);
  const sites = sitesIn(included(files.get(main) ?? [], { files, folder, steps }), { folder, paths: [] });
  const unique = new Map<string, NginxSite>();
  for (const site of sites) {
    const key = `${site.port} ${site.paths.join(' ')}`;
    const known = unique.get(key);
    if (known === undefined || (known.name === null && site.name !== null)) unique.set(key, site);
  }
  return [...unique.values()];
}

function tooMuchWork(): PilotError {
  return new PilotError(
    'certificate_unreadable',
    'The configuration of nginx is not read: it takes more work than any configuration needs.',
  );
}

/** What a level hands down to those below it. */
interface Inherited {
  /** Of the main file: relative paths are relative to it (ngx_conf_full_name). */
  folder: string;
  paths: string[];
}

function sitesIn(directives: Directive[], inherited: Inherited): NginxSite[] {
  const own = { ...inherited, paths: certificatesOf(directives, inherited) };
  return directives.flatMap(({ name, block }) => {
    if (name === 'server' && block.length > 0) return siteOf(block, own);
    return name === 'http' || name === 'stream' ? sitesIn(block, own) : [];
  });
}

function siteOf(server: Directive[], inherited: Inherited): NginxSite[] {
  const paths = certificatesOf(server, inherited);
  const listener = listenerOf(server);
  if (paths.length === 0 || listener === null) return [];
  const names = server.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args);
  const name = names.find((each) => /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(each)) ?? null;
  return [{ paths, name, ...listener }];
}

/** Those of a level replace those of the levels above (ngx_http_ssl_module, `ssl_certificate`). */
function certificatesOf(directives: Directive[], { folder, paths }: Inherited): string[] {
  const own = valuesOf(directives, 'ssl_certificate');
  if (own.length === 0) return paths;
  const files = own.filter((path) => path !== '' && !path.includes('$') && !path.startsWith('data:'));
  return files.map((path) => posix.resolve(folder, path));
}

/** Of a `listen … ssl` that is no socket (ngx_http_core_module, `listen`); one without `proxy_protocol` is easier to ask. */
function listenerOf(server: Directive[]): Pick<NginxSite, 'port' | 'proxyProtocol'> | null {
  const old = valuesOf(server, 'ssl').includes('on');
  const listeners = server.flatMap(({ name, args }) => {
    const [address = ''] = args;
    if (name !== 'listen' || !(old || args.includes('ssl')) || address.startsWith('unix:')) return [];
    const port = /^(?:.*:)?(\d{1,5})$/.exec(address)?.[1];
    return isPort(port) ? [{ port: Number(port), proxyProtocol: args.includes('proxy_protocol') }] : [];
  });
  return listeners.find(({ proxyProtocol }) => !proxyProtocol) ?? listeners[0] ?? null;
}

function isPort(text: string | undefined): boolean {
  const port = Number(text);
  return port > 0 && port <= 65_535;
}

function valuesOf(directives: Directive[], name: string): string[] {
  return directives.filter((each) => each.name === name).map(({ args }) => args[0] ?? '');
}

function filesOf(dump: string, steps: Steps): Map<string, Directive[]> {
  const files = new Map<string, Directive[]>();
  let path: string | null = null;
  let lines: string[] = [];
  const end = (): void => {
    if (path !== null) files.set(path, parse(lines.join('\n'), steps));
    lines = [];
  };
  for (const line of dump.split('\n')) {
    if (line.startsWith(FILE_HEAD) && line.endsWith(':')) {
      end();
      path = line.slice(FILE_HEAD.length, -1);
    } else lines.push(line);
  }
  end();
  return files;
}

interface Including {
  files: ReadonlyMap<string, Directive[]>;
  /** Of the main file: relative names are relative to it. */
  folder: string;
  steps: Steps;
}

/** With every `include` replaced by what it includes. */
function included(directives: Directive[], including: Including, depth: number = DEEPEST): Directive[] {
  if (depth === 0) return [];
  const { files, folder, steps } = including;
  const all: Directive[] = [];
  for (const directive of directives) {
    steps.take(STEPS_OF_A_DIRECTIVE);
    if (directive.name !== 'include') {
      all.push({ ...directive, block: included(directive.block, including, depth - 1) });
      continue;
    }
    const matches = compileGlob(posix.resolve(folder, directive.args[0] ?? ''));
    const found = [...files].filter(([path]) => matches(path, steps)).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, content] of found) for (const each of included(content, including, depth - 1)) all.push(each);
  }
  return all;
}

function parse(content: string, steps: Steps): Directive[] {
  const root: Directive[] = [];
  const open = [root];
  let words: string[] = [];
  const end = (): Directive | null => {
    const [name, ...args] = words;
    words = [];
    if (name === undefined) return null;
    steps.take(STEPS_OF_A_DIRECTIVE);
    const directive = { name, args, block: [] };
    open.at(-1)?.push(directive);
    return directive;
  };
  for (const { kind, text } of nginxTokens(content, steps)) {
    if (kind === 'word') words.push(text);
    else if (kind === ';') end();
    else if (kind === '{') open.push(end()?.block ?? []);
    else if (open.length > 1) open.pop();
  }
  return root;
}
