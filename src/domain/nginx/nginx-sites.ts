import { posix } from 'node:path';
import { type Directive, isPort, MOST_STEPS, readConfiguration, valuesOfDirective } from './nginx-configuration';

/** A certificate that an nginx is configured to serve. */
export interface NginxSite {
  /** `ssl_certificate` as the configuration says it; more than one when it has several kinds of key. */
  paths: string[];
  /** What to ask for it with: a `server_name` without wildcard; null: it has none. */
  name: string | null;
  port: number;
  /** It expects a PROXY protocol header before the handshake. */
  proxyProtocol: boolean;
}

/**
 * Every certificate that a configuration serves over TLS, from what `nginx -T` printed; one entry for each file and port.
 * Includes, relative paths and inherited `ssl_certificate` are followed; paths with variables, `data:` and sockets are left out, since
 * only nginx knows what they lead to. The text comes from inside a container: the work on it is counted, and what takes too
 * many steps rejects with `certificate_unreadable`.
 */
export function nginxSites(dump: string, mostSteps = MOST_STEPS): NginxSite[] {
  const { directives, folder } = readConfiguration(dump, mostSteps);
  const sites = sitesIn(directives, { folder, paths: [] });
  const unique = new Map<string, NginxSite>();
  for (const site of sites) {
    const key = `${site.port} ${site.paths.join(' ')}`;
    const known = unique.get(key);
    if (known === undefined || (known.name === null && site.name !== null)) unique.set(key, site);
  }
  return [...unique.values()];
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
  const own = valuesOfDirective(directives, 'ssl_certificate');
  if (own.length === 0) return paths;
  const files = own.filter((path) => path !== '' && !path.includes('$') && !path.startsWith('data:'));
  return files.map((path) => posix.resolve(folder, path));
}

/** Of a `listen … ssl` that is not a socket (ngx_http_core_module, `listen`); one without `proxy_protocol` is preferred. */
function listenerOf(server: Directive[]): Pick<NginxSite, 'port' | 'proxyProtocol'> | null {
  const old = valuesOfDirective(server, 'ssl').includes('on');
  const listeners = server.flatMap(({ name, args }) => {
    const [address = ''] = args;
    if (name !== 'listen' || !(old || args.includes('ssl')) || address.startsWith('unix:')) return [];
    const port = /^(?:.*:)?(\d{1,5})$/.exec(address)?.[1];
    return isPort(port) ? [{ port: Number(port), proxyProtocol: args.includes('proxy_protocol') }] : [];
  });
  return listeners.find(({ proxyProtocol }) => !proxyProtocol) ?? listeners[0] ?? null;
}

/** One way through an nginx to a server behind it, as a client requests it. */
export interface ProxiedSite {
  /** Where the request is passed on to: the names or addresses that the configuration has. Empty: a variable says it. */
  upstreams: string[];
  /** For the `Host` header: a `server_name` without wildcard; null: it has none. */
  host: string | null;
  port: number;
  tls: boolean;
  /** A path of the location; `/` where only a pattern is known. */
  path: string;
}

/** What an nginx passes on, and to whom. */
export interface Proxied {
  /** Every name or address to which it passes requests or connections. It resolves them when it loads its configuration. */
  upstreams: string[];
  /** Those of them that can be requested over HTTP. */
  sites: ProxiedSite[];
}

const MOST_SITES = 32;
const PASSES = ['proxy_pass', 'fastcgi_pass', 'uwsgi_pass', 'scgi_pass', 'grpc_pass'];
const PLAIN_NAME = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/i;

/**
 * To whom a configuration passes requests, from what `nginx -T` printed. A target with a variable has no name here, since
 * nginx resolves it for each request. Sockets are left out. Throws `certificate_unreadable` for a text that takes too much work.
 */
export function nginxUpstreams(dump: string, mostSteps = MOST_STEPS): Proxied {
  const { directives } = readConfiguration(dump, mostSteps);
  const upstreams = new Set<string>();
  const sites = new Map<string, ProxiedSite>();
  for (const { name, block } of directives) {
    if (name !== 'http' && name !== 'stream') continue;
    const groups = groupsIn(block);
    for (const server of block.filter((each) => each.name === 'server')) {
      const listener = name === 'http' ? proxiedListener(server.block) : null;
      const host = hostOf(server.block);
      for (const { to, path } of passesIn(server.block, groups, '/')) {
        for (const each of to) upstreams.add(each);
        if (listener === null || path === null) continue;
        const key = `${listener.port} ${host} ${path}`;
        if (!sites.has(key)) sites.set(key, { upstreams: to, host, ...listener, path });
      }
    }
  }
  return { upstreams: [...upstreams], sites: [...sites.values()].slice(0, MOST_SITES) };
}

/** The servers of each `upstream` block, by its name. */
function groupsIn(block: readonly Directive[]): Map<string, string[]> {
  const groups = block.filter(({ name }) => name === 'upstream');
  return new Map(
    groups.map((group) => [group.args[0] ?? '', valuesOfDirective(group.block, 'server').map(hostIn).filter(Boolean)]),
  );
}

interface Pass {
  to: string[];
  /** Null: not to be asked over plain HTTP (gRPC). */
  path: string | null;
}

function passesIn(block: readonly Directive[], groups: ReadonlyMap<string, string[]>, path: string): Pass[] {
  return block.flatMap(({ name, args, block: inner }) => {
    if (name === 'location') return passesIn(inner, groups, pathOf(args) ?? path);
    if (!PASSES.includes(name)) return passesIn(inner, groups, path);
    const target = args[0] ?? '';
    const asked = name === 'grpc_pass' ? null : path;
    if (target.includes('$')) return [{ to: [], path: asked }];
    const host = hostIn(target);
    const to = groups.get(host) ?? (host === '' ? [] : [host]);
    return to.length === 0 ? [] : [{ to, path: asked }];
  });
}

/** `http://app:8080/x` → `app`; empty for a socket. */
function hostIn(target: string): string {
  const authority = target.replace(/^[a-z]+:\/\//, '').split('/')[0] ?? '';
  if (authority.startsWith('unix:') || target.includes('//unix:')) return '';
  return /^\[([^\]]*)\]/.exec(authority)?.[1] ?? authority.replace(/:\d+$/, '');
}

/** Null: of a named location, which has no path of its own. */
function pathOf(args: readonly string[]): string | null {
  const [first = '', second = ''] = args;
  if (first === '=' || first === '^~') return second.startsWith('/') ? second : null;
  if (first.startsWith('~')) return second.includes('php') || first.includes('php') ? '/index.php' : '/';
  return first.startsWith('/') ? first : null;
}

/** Plain HTTP is preferred. One that expects the PROXY protocol, or a socket, cannot be requested. Null: there is none. */
function proxiedListener(server: readonly Directive[]): Pick<ProxiedSite, 'port' | 'tls'> | null {
  const listens = server.filter(({ name }) => name === 'listen');
  if (listens.length === 0) return { port: 80, tls: false };
  const old = valuesOfDirective(server, 'ssl').includes('on');
  const usable = listens.flatMap(({ args: [address = '', ...options] }) => {
    if (address.startsWith('unix:') || options.includes('proxy_protocol') || options.includes('quic')) return [];
    const port = /^(?:.*:)?(\d{1,5})$/.exec(address)?.[1] ?? '80';
    return isPort(port) ? [{ port: Number(port), tls: old || options.includes('ssl') }] : [];
  });
  return usable.find(({ tls }) => !tls) ?? usable[0] ?? null;
}

function hostOf(server: readonly Directive[]): string | null {
  const names = server.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args);
  return names.find((name) => PLAIN_NAME.test(name)) ?? null;
}
