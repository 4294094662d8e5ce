import { CERTBOT_RENEW, type CertbotEnd } from '../domain/certificates/certificate';
import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, isEngineLost, messageOf } from '../domain/errors';
import type { Clock } from '../lib/clock';
import type { RenewalDeps } from './renewal-places';

const ENDS_WITHIN_MS = 20 * 60_000;
const LOG_LINES = 30;
const NEVER = '0001';

/** The command `sleep`, as a loop has it; not certbot's own option `--no-random-sleep-on-renew`. */
const SLEEPS = /(^|[\s;&|(])sleep\s/;

class TooLong extends Error {}

type Deps = Pick<RenewalDeps, 'engine' | 'clock'>;

/**
 * Starts a certbot, waits for its end and reads its log. One that runs already, because diun-pilot was interrupted or
 * another process was faster, is waited for and never stopped. A container that lasts (a restart policy, or a loop of its own)
 * has its own timer, which is left alone: `certbot renew` is run in it. How it ended is an answer; only a missing engine rejects.
 */
export async function runCertbot(deps: Deps, { id, name }: Container): Promise<CertbotEnd> {
  try {
    const inspect = await deps.engine.inspectContainer(id);
    if (!lasts(inspect, deps.clock.now())) return await runToItsEnd(deps, inspect, name);
    if (!inspect.State.Running) await deps.engine.start(id);
    return await runInside(deps, inspect, name);
  } catch (error) {
    if (isEngineLost(error) || codeOf(error) === 'internal_error') throw error;
    return { container: name, exitCode: null, log: [messageOf(error)] };
  }
}

async function runToItsEnd({ engine, clock }: Deps, before: ContainerInspect, container: string): Promise<CertbotEnd> {
  const { Id: id } = before;
  await engine.start(id);
  const log = (): Promise<string[]> => engine.logs(id, LOG_LINES, lastEnd(before));
  try {
    const exitCode = await withDeadline(clock, ENDS_WITHIN_MS, new TooLong(), (signal) => engine.wait(id, signal));
    return { container, exitCode, log: await logUnlessGone(log) };
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    const lines = await log();
    if (!before.State.Running) await engine.stop(id);
    return { container, exitCode: null, log: [...lines, tooLong] };
  }
}

async function runInside({ engine, clock }: Deps, { Id }: ContainerInspect, container: string): Promise<CertbotEnd> {
  try {
    const { exitCode, stdout, stderr } = await withDeadline(clock, ENDS_WITHIN_MS, new TooLong(), (signal) =>
      engine.exec(Id, CERTBOT_RENEW, { signal }),
    );
    const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
    return { container, exitCode, log: lines.slice(-LOG_LINES) };
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    return { container, exitCode: null, log: [tooLong] };
  }
}

const tooLong = `diun-pilot waited for ${ENDS_WITHIN_MS / 60_000} minutes, then stopped waiting.`;

/** Of a container made with `--rm` the log is gone with it. */
async function logUnlessGone(log: () => Promise<string[]>): Promise<string[]> {
  try {
    return await log();
  } catch (error) {
    if (codeOf(error) === 'container_not_found') return [];
    throw error;
  }
}

/** Its log keeps what earlier runs wrote: only what came after their end is of this one. */
function lastEnd({ State }: ContainerInspect): string | undefined {
  return State.FinishedAt.startsWith(NEVER) ? undefined : State.FinishedAt;
}

/** By its restart policy, by a command that waits in a loop, or because it has been running longer than any renewal does. */
function lasts({ HostConfig, Config, State }: ContainerInspect, now: Date): boolean {
  const policy = HostConfig.RestartPolicy?.Name;
  if (State.Running && (policy === 'always' || policy === 'unless-stopped')) return true;
  const command = [Config.Entrypoint, Config.Cmd].flat().join(' ');
  if (SLEEPS.test(command)) return true;
  return State.Running && now.getTime() - Date.parse(State.StartedAt) > ENDS_WITHIN_MS;
}

/** Runs `work` with a signal that is aborted with `reason` after `ms` on the clock. */
async function withDeadline<T>(
  clock: Clock,
  ms: number,
  reason: Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const done = new AbortController();
  clock.sleep(ms, done.signal).then(
    () => deadline.abort(reason),
    () => undefined, // the work was faster
  );
  try {
    return await work(deadline.signal);
  } finally {
    done.abort();
  }
}
