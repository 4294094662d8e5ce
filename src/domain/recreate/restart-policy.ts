import type { RestartPolicy } from '../engine-inspect';

/** Of a container that must not run. */
export const NEVER: RestartPolicy = { Name: 'no', MaximumRetryCount: 0 };

/** Whether the engine may start the container on its own. */
export function restarts(policy: RestartPolicy | null | undefined): policy is RestartPolicy {
  return policy !== null && policy !== undefined && policy.Name !== undefined && !['', 'no'].includes(policy.Name);
}

/** Whether the engine starts the container again after every exit: one that stays exited was stopped on request. */
export function restartsAlways(policy: RestartPolicy | null | undefined): boolean {
  return policy?.Name === 'always' || policy?.Name === 'unless-stopped';
}
