import type { ContainerInspect } from '../engine-inspect';
import { plural } from '../format';

/**
 * `failed`: the new version does not work. `stopped`: it may have been stopped on request, or with the engine, and only the
 * operator knows. `left`: it was stopped or paused by a person, who is not contradicted. `runs`: its probe may be asked.
 */
export type SoakSight = { state: 'failed' | 'stopped'; why: string } | { state: 'left' | 'runs' };

/** The codes of a process that ended because it was asked to. */
const ENDED_ON_REQUEST = [0, 137, 143];

/** What Docker alone says of a container in its soak. Pure. `restartsBefore`: those that are not held against it. */
export function judgeSoak({ State, HostConfig, RestartCount }: ContainerInspect, restartsBefore: number): SoakSight {
  if (RestartCount > restartsBefore)
    return { state: 'failed', why: `it restarted ${plural(RestartCount - restartsBefore, 'time')} after it had ended` };
  if (State.Status === 'restarting')
    return { state: 'failed', why: `it exited with code ${State.ExitCode} and restarts` };
  if (State.Status === 'paused') return { state: 'left' };
  if (State.Running) {
    const { Status, Log } = State.Health ?? {};
    if (Status !== 'unhealthy') return { state: 'runs' };
    const last = Log?.at(-1)?.Output.trim().slice(0, 300);
    return { state: 'failed', why: `its HEALTHCHECK fails${last ? `: ${last}` : ''}` };
  }
  if (State.OOMKilled) return { state: 'failed', why: 'it was killed because it ran out of memory' };
  if (State.Error !== '') return { state: 'failed', why: `it did not start (${State.Error})` };
  const policy = HostConfig.RestartPolicy?.Name;
  // The engine would have started it again, unless it was stopped by a person.
  if (policy === 'always' || policy === 'unless-stopped') return { state: 'left' };
  const why = `it exited with code ${State.ExitCode}`;
  return { state: ENDED_ON_REQUEST.includes(State.ExitCode) ? 'stopped' : 'failed', why };
}
