import type { ContainerState } from '../../src/domain/engine-inspect';
import type { CommandCall, FakeContainer, Outcome, Scripts } from './fake-engine-types';

/** How the main process of a started container goes, given by its image and command. */
export type MainProcess = { kind: 'stays' } | { kind: 'ends'; afterMs: number; exitCode: number };

const NEVER = '0001-01-01T00:00:00Z';
const SECOND = 1000;

/** A moment of the test clock. The engine counts by the tick, and tells times by the wall clock. */
export interface Moment {
  now: number;
  tick: number;
}

/** The state of a container at a moment: computed, so that no timer is needed. */
export function stateAt(container: FakeContainer, main: MainProcess, { now, tick }: Moment): ContainerState {
  const exited = exitedState(container);
  if (container.phase === 'created') return { ...exited, Status: 'created', StartedAt: NEVER, FinishedAt: NEVER };
  if (container.phase === 'stopped') return exited;
  const course = courseOf(container, main, tick);
  if (course.ended) return { ...exited, ExitCode: main.kind === 'ends' ? main.exitCode : 0, FinishedAt: iso(now) };
  const running = container.paused === true ? 'paused' : 'running';
  return {
    ...exited,
    Status: course.restarting ? 'restarting' : running,
    Running: true,
    Restarting: course.restarting,
    ExitCode: course.restarting && main.kind === 'ends' ? main.exitCode : 0,
    ...(hasHealthcheck(container) ? { Health: { Status: healthAt(container, course, tick), Log: [] } } : {}),
  };
}

/** How often the engine has started the main process again by itself. */
export function restartsAt(container: FakeContainer, main: MainProcess, tick: number): number {
  return container.phase === 'started' ? courseOf(container, main, tick).restarts : 0;
}

/** Runs a script for a command; without one the command is not in the image. */
export function runScript(scripts: Scripts, call: CommandCall): Required<Outcome> {
  const script = scriptFor(scripts, call.command);
  const missing = { exitCode: 127, stderr: `exec: "${call.command[0]}": executable file not found in $PATH` };
  const outcome = script === undefined ? missing : typeof script === 'function' ? script(call) : script;
  return { exitCode: 0, stdout: '', stderr: '', hangs: false, ...outcome };
}

export function scriptFor(scripts: Scripts, command: string[]): Scripts[string] | undefined {
  const line = command.join(' ');
  const wild = Object.keys(scripts).find((key) => key.endsWith('*') && line.startsWith(key.slice(0, -1)));
  return scripts[line] ?? (wild === undefined ? undefined : scripts[wild]);
}

interface Course {
  ended: boolean;
  restarting: boolean;
  restarts: number;
  /** Since the last start of the main process. */
  runningMs: number;
}

/** The engine starts again after 100 ms, twice that the next time, and so on up to a minute (moby, restartmanager). */
function courseOf(container: FakeContainer, main: MainProcess, tick: number): Course {
  let left = tick - container.startedTick;
  if (main.kind === 'stays') return { ended: false, restarting: false, restarts: 0, runningMs: left };
  for (let restarts = 0; ; restarts++) {
    if (left < main.afterMs) return { ended: false, restarting: false, restarts, runningMs: left };
    if (!restartsAgain(container, main.exitCode, restarts))
      return { ended: true, restarting: false, restarts, runningMs: 0 };
    left -= main.afterMs;
    const pause = Math.min(100 * 2 ** restarts, 60 * SECOND);
    if (left < pause) return { ended: false, restarting: true, restarts: restarts + 1, runningMs: 0 };
    left -= pause;
  }
}

function restartsAgain(container: FakeContainer, exitCode: number, restarts: number): boolean {
  const policy = container.inspect.HostConfig.RestartPolicy;
  if (policy?.Name === 'always' || policy?.Name === 'unless-stopped') return true;
  return policy?.Name === 'on-failure' && exitCode !== 0 && restarts < (policy.MaximumRetryCount || Infinity);
}

function hasHealthcheck(container: FakeContainer): boolean {
  const test = container.inspect.Config.Healthcheck?.Test ?? [];
  return test.length > 0 && test[0] !== 'NONE';
}

function healthAt(container: FakeContainer, course: Course, tick: number): 'starting' | 'healthy' | 'unhealthy' {
  const check = container.inspect.Config.Healthcheck ?? {};
  const interval = (check.Interval || 30e9) / 1e6;
  const { health = 'healthy', slowMs = 30 * SECOND, lastsMs = 60 * SECOND } = container.image.spec;
  if (course.restarting) return 'unhealthy';
  const works = health === 'healthy' || health === 'dies' || (health === 'fades' && course.runningMs < lastsMs);
  if (works) return course.runningMs >= interval ? 'healthy' : 'starting';
  if (health === 'slow' && tick - container.startedTick >= slowMs) return 'healthy';
  const patience = (check.StartPeriod ?? 0) / 1e6 + interval * (check.Retries || 3);
  return course.runningMs >= patience ? 'unhealthy' : 'starting';
}

function exitedState(container: FakeContainer): ContainerState {
  return {
    Status: 'exited',
    Running: false,
    Restarting: false,
    OOMKilled: false,
    ExitCode: container.exitCode,
    Error: container.startError ?? '',
    StartedAt: iso(container.startedAt),
    FinishedAt: container.finishedAt ? iso(container.finishedAt) : NEVER,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
