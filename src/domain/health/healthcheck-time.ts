import type { Healthcheck } from '../engine-inspect';
import { DAY_MS } from '../format';
import type { ContainerLabels } from '../labels/container-labels';

const NANOSECONDS = 1e6;
/** Docker's own defaults (docs.docker.com/reference/dockerfile, HEALTHCHECK). */
const DEFAULT_MS = 30_000;
const DEFAULT_RETRIES = 3;
const MARGIN_MS = 5_000;
const LONGEST_MS = DAY_MS;

/** The default allows for what the container's own HEALTHCHECK needs to give a verdict. What the operator set counts as it is. */
export function probeTimeoutFor(
  labels: Pick<ContainerLabels, 'probeTimeoutMs' | 'probeTimeoutIsSet'>,
  healthcheck: Healthcheck | null | undefined,
): number {
  const { probeTimeoutMs, probeTimeoutIsSet } = labels;
  return probeTimeoutIsSet ? probeTimeoutMs : Math.max(probeTimeoutMs, verdictWithinMs(healthcheck));
}

/**
 * How long a HEALTHCHECK may take to give a verdict: a check that starts within the start period does not count, and then
 * `retries` in a row must fail, each one interval after the last ended. 0: there is no HEALTHCHECK.
 */
function verdictWithinMs(healthcheck: Healthcheck | null | undefined): number {
  const kind = healthcheck?.Test?.[0];
  if (!healthcheck || kind === undefined || kind === 'NONE') return 0;
  const interval = milliseconds(healthcheck.Interval) || DEFAULT_MS;
  const timeout = milliseconds(healthcheck.Timeout) || DEFAULT_MS;
  const startPeriod = milliseconds(healthcheck.StartPeriod);
  const uncounted = startPeriod === 0 ? 0 : startPeriod + timeout;
  const counted = (healthcheck.Retries || DEFAULT_RETRIES) * (interval + timeout);
  return Math.min(uncounted + counted + MARGIN_MS, LONGEST_MS);
}

function milliseconds(nanoseconds: number | undefined): number {
  return (nanoseconds ?? 0) / NANOSECONDS;
}
