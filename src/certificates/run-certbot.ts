import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf } from '../domain/errors';
import type { CertbotEnd } from '../domain/renewal';
import { withDeadline } from '../lib/deadline';
import type { RenewalDeps } from './renewal-deps';

/** `certbot renew` without a terminal first sleeps up to eight minutes, unless told not to. */
const ENDS_WITHIN_MS = 20 * 60_000;
const LOG_LINES = 30;
const NEVER = '0001';

class TooLong extends Error {}

type Deps = Pick<RenewalDeps, 'engine' | 'clock'>;

/**
 * Starts a certbot, waits for its end and reads its log. One that runs already, because diun-pilot was interrupted or
 * somebody was faster, is waited for. A container that lasts (`restart: always`) has a timer of its own, which is left
 * alone: `certbot renew` is run in it. How it ended is an answer; only a missing engine rejects.
 */
export async function runCertbot(deps: Deps, { id, name }: Container): Promise<CertbotEnd> {
  try {
    const inspect = await deps.engine.inspectContainer(id);
    return inspect.State.Running && lasts(inspect)
      ? await runInside(deps, inspect, name)
      : await runToItsEnd(deps, inspect, name);
  } catch (error) {
    if (['engine_unreachable', 'internal_error'].includes(codeOf(error))) throw error;
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
    await engine.stop(id);
    return { container, exitCode: null, log: [...lines, tooLong] };
  }
}

async function runInside({ engine, clock }: Deps, { Id }: ContainerInspect, container: string): Promise<CertbotEnd> {
  const command = ['certbot', 'renew', '--non-interactive', '--no-random-sleep-on-renew'];
  try {
    const { exitCode, stdout, stderr } = await withDeadline(clock, ENDS_WITHIN_MS, new TooLong(), (signal) =>
      engine.exec(Id, command, { signal }),
    );
    const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
    return { container, exitCode, log: lines.slice(-LOG_LINES) };
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    return { container, exitCode: null, log: [tooLong] };
  }
}

const tooLong = `diun-pilot waited for ${ENDS_WITHIN_MS / 60_000} minutes; then it was given up.`;

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

function lasts({ HostConfig }: ContainerInspect): boolean {
  const policy = HostConfig.RestartPolicy as { Name?: string } | undefined;
  return policy?.Name === 'always' || policy?.Name === 'unless-stopped';
}
