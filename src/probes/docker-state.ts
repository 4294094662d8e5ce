import type { ContainerInspect } from '../domain/engine-inspect';
import { restartsAlways } from '../domain/recreate/own-config';

/**
 * Docker's own state: `broken` does not recover, `waiting` may, `fine` is all that Docker reports. `stopped`: another process
 * stopped it, perhaps only for a restart. `paused`: another process paused it, as for a copy of its disk.
 */
export interface StateAnswer {
  state: 'broken' | 'stopped' | 'paused' | 'waiting' | 'fine';
  detail: string;
}

export interface StateRules {
  /** How long it must have run without a restart when nothing else reports its health. */
  stayMs: number;
  /** Restarts by the restart policy that are taken for a slow start rather than a crash loop. */
  toleratedRestarts: number;
  /** A failing HEALTHCHECK may still pass, because a start may take longer than configured. Otherwise it is final. */
  healthcheckMayRecover: boolean;
  now: Date;
  /** How long this start of it has been observed; left out: it is looked at once. */
  observedMs?: number;
}

/** Pure: the container's state, HEALTHCHECK and restarts, read as a person would. */
export function dockerState(container: ContainerInspect, rules: StateRules): StateAnswer {
  const { State: state, RestartCount: restarts } = container;
  if (restarts > rules.toleratedRestarts)
    return { state: 'broken', detail: `it has restarted ${restarts === 1 ? 'once' : `${restarts} times`}` };
  if (state.Status === 'restarting')
    return { state: 'waiting', detail: `it exited with code ${state.ExitCode} and restarts` };
  if (!state.Running) return { state: wasStopped(container) ? 'stopped' : 'broken', detail: ended(container) };
  if (state.Status === 'paused') return { state: 'paused', detail: 'it is paused' };
  return state.Health === undefined || state.Health.Status === 'none'
    ? runsAndStays(container, rules)
    : healthcheck(state.Health, rules);
}

function healthcheck(
  health: NonNullable<ContainerInspect['State']['Health']>,
  { healthcheckMayRecover }: StateRules,
): StateAnswer {
  const last = health.Log?.at(-1)?.Output.trim();
  const said = last ? `: ${last.slice(0, 300)}` : '';
  if (health.Status === 'healthy') return { state: 'fine', detail: 'its HEALTHCHECK passes' };
  if (health.Status === 'unhealthy')
    return { state: healthcheckMayRecover ? 'waiting' : 'broken', detail: `its HEALTHCHECK fails${said}` };
  return { state: 'waiting', detail: `its HEALTHCHECK has not passed yet${said}` };
}

/** If the clock was set back, its start is in the future: then what was observed counts. */
function runsAndStays(container: ContainerInspect, rules: StateRules): StateAnswer {
  const ranMs = Math.max(rules.now.getTime() - Date.parse(container.State.StartedAt), rules.observedMs ?? 0);
  return ranMs >= rules.stayMs
    ? { state: 'fine', detail: `it has run for ${Math.floor(ranMs / 1000)} s without a restart` }
    : { state: 'waiting', detail: 'it runs; waiting to see that it keeps running' };
}

/** By the policy that it has now: the engine would have started it again, and says so (`restarting`, the count of restarts). */
function wasStopped({ State: state, HostConfig }: ContainerInspect): boolean {
  const ended = state.Status === 'exited' && state.Error === '' && !state.OOMKilled;
  return ended && restartsAlways(HostConfig.RestartPolicy);
}

function ended({ State: state }: ContainerInspect): string {
  if (state.OOMKilled) return 'it was killed because it ran out of memory';
  const why = state.Error === '' ? '' : ` (${state.Error})`;
  return state.Status === 'created' ? `it did not start${why}` : `it exited with code ${state.ExitCode}${why}`;
}
