import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from '../../../lib/public-address';
import { isLoopback, refused } from './refusal';

type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Where the questions about one registry may go. The operator has chosen the registry, hence its address may be any; the registry
 * chooses where its token service, redirects and pages are, hence those must be https (the first address's own rule: plain HTTP
 * only from loopback to loopback), and on the public internet or at an address of the registry itself. The addresses that a
 * name resolves to are checked when the connection is made, not the name.
 */
export class Destinations {
  readonly #own = new Set<string>();

  constructor(
    private readonly registry: URL,
    private readonly resolve: Resolve = lookup,
  ) {}

  /** Throws `registry_refused`. */
  check(url: URL): void {
    const plain = url.protocol === 'http:' && isLoopback(url) && isLoopback(this.registry);
    if (url.protocol !== 'https:' && !plain) throw refused(this.registry, `it leads to ${url.host} without TLS`);
    // A literal address is dialled without a lookup.
    const address = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0) this.#checkAddress(url, address);
  }

  lookupFor(url: URL): LookupFunction {
    return (hostname, options, done) => {
      this.resolve(hostname, { ...options, all: true }, (error, addresses) => {
        const [first] = addresses ?? [];
        if (error !== null || first === undefined) {
          return done(error ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
        }
        try {
          for (const { address } of addresses) this.#checkAddress(url, address);
        } catch (refusal) {
          return done(refusal as Error, '');
        }
        if (options.all === true) done(null, addresses);
        else done(null, first.address, first.family);
      });
    };
  }

  #checkAddress(url: URL, address: string): void {
    if (url.hostname === this.registry.hostname) this.#own.add(address);
    if (this.#own.has(address) || isPublicAddress(address)) return;
    throw refused(
      this.registry,
      `it leads to ${url.hostname} (${address}), which is neither on the public internet nor the address of the registry`,
    );
  }
}
