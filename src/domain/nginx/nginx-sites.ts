import { posix } from 'node:path';
import { type Directive, isPort, MOST_STEPS, readConfiguration, valuesOf } from './nginx-configuration';

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
  const own = valuesOf(directives, 'ssl_certificate');
  if (own.length === 0) return paths;
  const files = own.filter((path) => path !== '' && !path.includes('$') && !path.startsWith('data:'));
  return files.map((path) => posix.resolve(folder, path));
}

/** Of a `listen … ssl` that is not a socket (ngx_http_core_module, `listen`); one without `proxy_protocol` is preferred. */
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
