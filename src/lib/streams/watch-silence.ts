import type { Readable } from 'node:stream';

export interface Silence {
  /** Milliseconds without a byte. */
  ms: number;
  /** Whether another than the watched end holds the transfer up now: a pg_dump that waits for a lock, a load that builds an index. */
  othersAreSlow: () => boolean;
  silent: () => void;
}

/** Calls `silent` once a transfer has moved no byte for so long. Time in which others are slow does not count. */
export function watchSilence({ ms, othersAreSlow, silent }: Silence): { moved(): void; stop(): void } {
  const timer = setTimeout(() => (othersAreSlow() ? timer.refresh() : silent()), ms);
  return { moved: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}

/** The same for a stream that is piped on, which its reader may pause for as long as it likes. */
export function watchSource(source: Readable, ms: number, silent: () => void): { stop(): void } {
  const silence = watchSilence({ ms, othersAreSlow: () => source.readableFlowing !== true, silent });
  const moved = (): void => silence.moved();
  source.on('data', moved).on('resume', moved);
  return silence;
}
