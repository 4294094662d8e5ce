import { isIP, type LookupFunction } from 'node:net';
import { checkedLookup, isPublicAddress, type Resolve } from '../../../lib/net/public-address';
import { isLoopback, refused } from './refusal';

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
    private readonly resolve?: Resolve,
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
    return checkedLookup((address) => this.#checkAddress(url, address), this.resolve);
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
