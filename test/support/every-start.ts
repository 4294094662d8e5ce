import type { FakeEngine } from './fake-engine';

/**
 * Every moment at which a container started while another that ran already could write to one of its volumes: two servers on
 * one data directory. Noted for as long as the host lives, whoever started it.
 */
export function secondWriters({ host }: FakeEngine): string[] {
  const seen: string[] = [];
  const start = host.start.bind(host);
  host.start = (container) => {
    start(container);
    for (const other of host.containers.values()) {
      if (other === container || !host.state(other).Running) continue;
      const shared = writable(container.inspect.Mounts).filter((name) => writable(other.inspect.Mounts).includes(name));
      if (shared.length > 0) seen.push(`${container.inspect.Name} next to ${other.inspect.Name} on ${shared.join()}`);
    }
  };
  return seen;
}

function writable(mounts: { RW: boolean; Name?: string; Source: string }[]): string[] {
  return mounts.filter(({ RW }) => RW).map(({ Name, Source }) => Name ?? Source);
}
