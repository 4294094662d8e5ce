import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf } from '../domain/errors';
import type { HealthFailure } from '../domain/health/health-failure';
import { addressesOf } from './addresses';
import { dockerState } from './docker-state';
import { probeFor } from './probe-for';
import type { HealthQuestion } from './wait-until-healthy';

/** So that one bad moment does not count as a failure. */
const AGAIN_AFTER_MS = 2_000;

export type HealthCheckOnce = Pick<HealthQuestion, 'engine' | 'clock' | 'containerId' | 'probe'>;

/**
 * Asks a container's health on the spot, and when it fails once more after two seconds: what is wrong with it, or null when
 * nothing is, when it is gone, or when its HEALTHCHECK has yet to tell. A few seconds at most, but for a command that hangs.
 * Restarts that are over are not held against it. Rejects only with `engine_unreachable`.
 */
export async function checkHealthOnce(question: HealthCheckOnce): Promise<HealthFailure | null> {
  if ((await lookOnce(question)) === null) return null;
  await question.clock.sleep(AGAIN_AFTER_MS);
  return lookOnce(question);
}

async function lookOnce(question: HealthCheckOnce): Promise<HealthFailure | null> {
  const { engine, containerId } = question;
  try {
    return await healthFailureOf(question, await engine.inspectContainer(containerId));
  } catch (error) {
    if (codeOf(error) === 'container_not_found') return null;
    throw error;
  }
}

async function healthFailureOf(question: HealthCheckOnce, container: ContainerInspect): Promise<HealthFailure | null> {
  const { engine, clock, probe } = question;
  const toleratedRestarts = container.RestartCount;
  const rules = { now: clock.now(), stayMs: 0, toleratedRestarts, healthcheckMayRecover: false };
  const { state, detail } = dockerState(container, rules);
  if (state === 'broken' || container.State.Status === 'restarting') return { of: 'container', detail };
  if (state === 'waiting' || probe.kind === 'docker') return null;
  const answer = await probeFor(probe, { engine, container, addresses: await addressesOf(engine, container) }).ask();
  return answer.healthy ? null : { of: 'probe', detail: answer.detail };
}
