import { capitalised, formatTimeout } from '../domain/format';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import {
  CONTAINER_IS_GONE,
  CONTAINER_WAS_PAUSED,
  CONTAINER_WAS_STOPPED,
  type HealthFailure,
} from '../domain/health/health-failure';
import { probeTimeoutFor } from '../domain/health/healthcheck-time';
import type { ProbeSpec } from '../domain/labels/container-labels';
import type { Clock } from '../lib/clock';
import type { Progress } from '../lib/logger';
import type { Engine } from '../ports/engine';
import { addressesOf } from './addresses';
import { dockerState } from './docker-state';
import { probeFor } from './probe-for';

const POLL_MS = 500;
const STAY_MS = 10_000;
/** How long `docker restart` may take between its stop and its start. */
const RESTARTS_WITHIN_MS = 5_000;
/** Between the first "healthy" and the second look. */
const SECOND_LOOK_MS = 2_000;

interface HealthQuestion {
  engine: Engine;
  /** As `Deps.selfId`. */
  selfId: string | null;
  clock: Clock;
  containerId: string;
  probe: ProbeSpec;
  timeoutMs: number;
  /** The operator set the time; else a HEALTHCHECK that needs longer for its verdict gets longer. */
  timeoutIsSet?: boolean;
  /** Restarts before this question was asked are not held against it: `RestartCount` at its start. */
  restartsBefore?: number;
  onProgress?: Progress;
}

type Look = {
  state: 'broken' | 'stopped' | 'paused' | 'waiting' | 'healthy';
  detail: string;
  container: ContainerInspect;
};
/** A busy engine, or one that cannot describe the container: nothing was seen of its health. */
type Refused = { state: 'refused'; detail: string; error: unknown };

/**
 * Resolves with what was seen once the container is healthy twice in a row. Rejects with `unhealthy`: at once when it
 * cannot recover (exited, crash loop, HEALTHCHECK failed except Gitea's, or the probe says that it is final), after some
 * seconds when another process stopped it and did not start it again, else at the deadline; then with `engine_refused` if
 * the engine refuses to describe it, which says nothing of the image. While another process has paused it, for as long as
 * `timeoutMs` at most, the deadline moves.
 */
export async function waitUntilHealthy(question: HealthQuestion): Promise<string> {
  const { clock } = question;
  const startedAt = clock.now().getTime();
  const observed = observer(clock);
  let first: Look | null = null;
  let { timeoutMs } = question;
  let pausedMs = 0;
  for (;;) {
    const lookedAt = clock.now().getTime();
    const look = await lookUnlessRefused(question, observed, pausedMs);
    if (look.state === 'broken') throw new PilotError('unhealthy', `${capitalised(look.detail)}.`);
    if (look.state === 'healthy' && first !== null && sameStart(first, look)) return look.detail;
    if (look.state === 'stopped') {
      await startedAgain(question);
      continue;
    }
    first = look.state === 'healthy' ? look : null;
    question.onProgress?.(look.detail);
    // Healthy at the last moment, or detected late by a slow probe: the second check still decides.
    if (look.state !== 'refused') timeoutMs = timeFor(question, look.container);
    if (look.state === 'paused') {
      if (pausedMs >= timeoutMs) throw new PilotError('unhealthy', CONTAINER_WAS_PAUSED);
      await clock.sleep(POLL_MS);
      pausedMs += clock.now().getTime() - lookedAt;
      continue;
    }
    if (first === null && clock.now().getTime() >= startedAt + timeoutMs + pausedMs) {
      if (look.state === 'refused') throw look.error;
      const limit = formatTimeout(Math.round(timeoutMs / 1000) * 1000);
      throw new PilotError('unhealthy', `Not healthy within ${limit}: ${look.detail}.`);
    }
    await clock.sleep(first === null ? POLL_MS : SECOND_LOOK_MS);
  }
}

/** Resolves once it is no longer stopped. Rejects with `unhealthy`. */
async function startedAgain(question: HealthQuestion): Promise<void> {
  const { clock } = question;
  const until = clock.now().getTime() + RESTARTS_WITHIN_MS;
  while (await isStopped(question)) {
    if (clock.now().getTime() >= until) throw new PilotError('unhealthy', CONTAINER_WAS_STOPPED);
    await clock.sleep(POLL_MS);
  }
}

/** It was, a moment ago: when the engine refuses to describe it, it still counts as stopped. */
async function isStopped(question: HealthQuestion): Promise<boolean> {
  try {
    return (await inspect(question)).State.Status === 'exited';
  } catch (error) {
    if (codeOf(error) !== 'engine_refused') throw error;
    return true;
  }
}

/** By the HEALTHCHECK of the very container: the new image may bring another one. */
function timeFor({ timeoutMs, timeoutIsSet = false }: HealthQuestion, { Config }: ContainerInspect): number {
  return probeTimeoutFor({ probeTimeoutMs: timeoutMs, probeTimeoutIsSet: timeoutIsSet }, Config.Healthcheck);
}

/** For how long the same start of a container has been seen, in milliseconds. */
function observer(clock: Clock): (container: ContainerInspect) => number {
  let since = { startedAt: '', at: 0 };
  return ({ State: { StartedAt: startedAt } }) => {
    const now = clock.now().getTime();
    if (since.startedAt !== startedAt) since = { startedAt, at: now };
    return now - since.at;
  };
}

async function lookUnlessRefused(...asked: Parameters<typeof lookOnce>): Promise<Look | Refused> {
  try {
    return await lookOnce(...asked);
  } catch (error) {
    if (codeOf(error) !== 'engine_refused') throw error;
    return { state: 'refused', detail: messageOf(error), error };
  }
}

async function lookOnce(
  question: HealthQuestion,
  observed: (container: ContainerInspect) => number,
  pausedMs: number,
): Promise<Look> {
  const { engine, clock, probe, timeoutMs } = question;
  const container = await inspect(question);
  const docker = dockerState(container, {
    now: clock.now(),
    observedMs: observed(container),
    stayMs: Math.min(STAY_MS, timeoutMs / 2) + pausedMs,
    toleratedRestarts: (question.restartsBefore ?? 0) + (probe.kind === 'docker' ? 0 : 1),
    // Its port opens after the migrations: a rollback in the middle of one leaves a database that neither version accepts.
    healthcheckMayRecover: probe.kind === 'gitea',
  });
  const explicit = probe.kind !== 'docker';
  if (docker.state !== 'fine' && !(explicit && onlyStaying(container, docker.state)))
    return { state: docker.state, detail: docker.detail, container };
  if (!explicit) return { state: 'healthy', detail: docker.detail, container };
  const answer = await probeFor(probe, { engine, container, addresses: await addressesOf(question, container) }).ask();
  const unhealthy = answer.final ? 'broken' : 'waiting';
  return { state: answer.healthy ? 'healthy' : unhealthy, detail: answer.detail, container };
}

/** An explicit probe proves more than "has been running for a while", so it does not wait for that; it does wait for a HEALTHCHECK. */
function onlyStaying({ State: state }: ContainerInspect, docker: string): boolean {
  const hasHealthcheck = state.Health !== undefined && state.Health.Status !== 'none';
  return docker === 'waiting' && state.Status === 'running' && !hasHealthcheck;
}

async function inspect({ engine, containerId }: HealthQuestion): Promise<ContainerInspect> {
  try {
    return await engine.inspectContainer(containerId);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
    throw new PilotError('unhealthy', CONTAINER_IS_GONE, { cause: error });
  }
}

function sameStart(first: Look, second: Look): boolean {
  return first.container.State.StartedAt === second.container.State.StartedAt;
}

/** So that one bad moment does not count as a failure. */
const AGAIN_AFTER_MS = 2_000;

export type HealthCheckOnce = Pick<HealthQuestion, 'engine' | 'selfId' | 'clock' | 'containerId' | 'probe'>;

/**
 * Asks a container's health on the spot, and when it fails once more after two seconds: what is wrong with it, or null when
 * nothing is, when it is gone, when its HEALTHCHECK has yet to tell, or when the engine refuses both times to describe it. A few seconds at most, but for a command that hangs.
 * Restarts that are over are not held against it. Rejects only with `engine_unreachable`.
 */
export async function checkHealthOnce(question: HealthCheckOnce): Promise<HealthFailure | null> {
  if ((await failureNow(question)) === null) return null;
  await question.clock.sleep(AGAIN_AFTER_MS);
  const failure = await failureNow(question);
  return failure === 'refused' ? null : failure;
}

async function failureNow(question: HealthCheckOnce): Promise<HealthFailure | 'refused' | null> {
  const { engine, containerId } = question;
  try {
    return await healthFailureOf(question, await engine.inspectContainer(containerId));
  } catch (error) {
    if (codeOf(error) === 'container_not_found') return null;
    if (codeOf(error) === 'engine_refused') return 'refused';
    throw error;
  }
}

async function healthFailureOf(question: HealthCheckOnce, container: ContainerInspect): Promise<HealthFailure | null> {
  const { engine, clock, probe } = question;
  const toleratedRestarts = container.RestartCount;
  const rules = { now: clock.now(), stayMs: 0, toleratedRestarts, healthcheckMayRecover: false };
  const { state, detail } = dockerState(container, rules);
  if (!['fine', 'waiting'].includes(state) || container.State.Status === 'restarting')
    return { of: 'container', detail };
  if (state === 'waiting' || probe.kind === 'docker') return null;
  const answer = await probeFor(probe, { engine, container, addresses: await addressesOf(question, container) }).ask();
  return answer.healthy ? null : { of: 'probe', detail: answer.detail };
}
