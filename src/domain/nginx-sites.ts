import { posix } from 'node:path';

/** A certificate that an nginx is told to serve. */
export interface NginxSite {
  /** `ssl_certificate` as the configuration says it; more than one when it has several kinds of key. */
  paths: string[];
  /** What to ask for it with: a `server_name` without wildcard; null: it has none. */
  name: string | null;
  port: number;
}

interface Directive {
  name: string;
  args: string[];
  block: Directive[];
}

/** `nginx -T` prints every file of the configuration under its name. */
const FILE_HEAD = /^# configuration file (.+):$/gm;
const TOKEN = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|#[^\n]*|(?:\\.|\$\{[^}]*\}|[^\s{};\\])+/gs;
const DEEPEST = 20;

/**
 * Every certificate that a configuration serves over TLS, from what `nginx -T` printed; one entry for each file and port.
 * Includes and inherited `ssl_certificate` are followed; paths with variables, `data:` and sockets are left out, since
 * nobody but nginx can tell what they lead to.
 */
export function nginxSites(dump: string): NginxSite[] {
  const files = filesOf(dump);
  const main = [...files.keys()][0] ?? '';
  const sites = sitesIn(included(files.get(main) ?? [], files, posix.dirname(main)), []);
  const unique = new Map<string, NginxSite>();
  for (const site of sites) {
    const key = `${site.port} ${site.paths.join(' ')}`;
    const known = unique.get(key);
    if (known === undefined || (known.name === null && site.name !== null)) unique.set(key, site);
  }
  return [...unique.values()];
}

function sitesIn(directives: Directive[], inherited: string[]): NginxSite[] {
  const paths = certificatesOf(directives, inherited);
  return directives.flatMap(({ name, block }) => {
    if (name === 'server' && block.length > 0) return siteOf(block, paths);
    return name === 'http' || name === 'stream' ? sitesIn(block, paths) : [];
  });
}

function siteOf(server: Directive[], inherited: string[]): NginxSite[] {
  const paths = certificatesOf(server, inherited);
  const port = portOf(server);
  if (paths.length === 0 || port === null) return [];
  const names = server.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args);
  const name = names.find((each) => /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(each)) ?? null;
  return [{ paths, name, port }];
}

/** Those of a level replace those of the levels above (ngx_http_ssl_module, `ssl_certificate`). */
function certificatesOf(directives: Directive[], inherited: string[]): string[] {
  const own = valuesOf(directives, 'ssl_certificate');
  return own.length === 0 ? inherited : own.filter((path) => path.startsWith('/') && !path.includes('$'));
}

/** Of the first `listen … ssl` that is no socket (ngx_http_core_module, `listen`). */
function portOf(server: Directive[]): number | null {
  const old = valuesOf(server, 'ssl').includes('on');
  const listens = server.filter(({ name, args }) => name === 'listen' && (old || args.includes('ssl')));
  for (const { args } of listens) {
    const port = /^(?:.*:)?(\d+)$/.exec(args[0] ?? '')?.[1];
    if (!args[0]?.startsWith('unix:') && port !== undefined) return Number(port);
  }
  return null;
}

function valuesOf(directives: Directive[], name: string): string[] {
  return directives.filter((each) => each.name === name).map(({ args }) => args[0] ?? '');
}

function filesOf(dump: string): Map<string, Directive[]> {
  const heads = [...dump.matchAll(FILE_HEAD)];
  return new Map(
    heads.map((head, i) => {
      const content = dump.slice(head.index + head[0].length, heads[i + 1]?.index);
      return [head[1] ?? '', parse(content)];
    }),
  );
}

/** With every `include` replaced by what it includes; relative names are relative to the main file's folder. */
function included(
  directives: Directive[],
  files: Map<string, Directive[]>,
  folder: string,
  depth: number = DEEPEST,
): Directive[] {
  if (depth === 0) return [];
  return directives.flatMap((directive) => {
    if (directive.name !== 'include') {
      return [{ ...directive, block: included(directive.block, files, folder, depth - 1) }];
    }
    const pattern = globToRegex(posix.resolve(folder, directive.args[0] ?? ''));
    const found = [...files].filter(([path]) => pattern.test(path)).sort(([a], [b]) => (a < b ? -1 : 1));
    return found.flatMap(([, content]) => included(content, files, folder, depth - 1));
  });
}

function globToRegex(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*/g, '[^/]*')
    .replace(/\?/g, '[^/]');
  return new RegExp(`^${source}$`);
}

function parse(content: string): Directive[] {
  const root: Directive[] = [];
  const open = [root];
  let words: string[] = [];
  const end = (): Directive | null => {
    const [name, ...args] = words;
    words = [];
    if (name === undefined) return null;
    const directive = { name, args, block: [] };
    open.at(-1)?.push(directive);
    return directive;
  };
  for (const [token] of content.matchAll(TOKEN)) {
    if (token.startsWith('#')) continue;
    if (token === ';') end();
    else if (token === '{') open.push(end()?.block ?? []);
    else if (token === '}') {
      if (open.length > 1) open.pop();
    } else words.push(unquoted(token));
  }
  return root;
}

function unquoted(token: string): string {
  const inner = /^(["'])(.*)\1$/s.exec(token)?.[2] ?? token;
  return inner.replace(/\\(.)/gs, '$1');
}
