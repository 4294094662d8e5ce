import { BOUNDS } from '../domain/bounds';
import { rethrowEngineLost } from '../domain/errors';
import type { ExecResult } from '../ports/engine';
import { type Answer, healthy, notYet, type Probe, type ProbeTarget } from './probe';

const ANSWER_WITHIN_MS = BOUNDS.commandOutput.ms;

export function execProbe(target: ProbeTarget, command: string[], env: string[] = []): Probe {
  return {
    question: `${command.join(' ')} in the container`,
    ask: async () => {
      const result = await execInside(target, command, env);
      if ('failure' in result) return notYet(result.failure);
      return result.exitCode === 0
        ? healthy(`${command[0]} exits 0`)
        : notYet(`${command[0]} exits ${result.exitCode}: ${lastWords(result)}`);
    },
  };
}

/** Runs a command in the container; one that cannot run there is an answer, a missing engine is not. */
export async function execInside(
  { engine, container }: ProbeTarget,
  command: string[],
  env: string[] = [],
): Promise<ExecResult | { failure: string }> {
  try {
    return await engine.exec(container.Id, command, { env, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch (error) {
    rethrowEngineLost(error);
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** 126 and 127: the shell's and the engine's codes for a command that is not there. */
export function wasRun(result: ExecResult | { failure: string }): result is ExecResult {
  return 'exitCode' in result && result.exitCode !== 126 && result.exitCode !== 127;
}

export function lastWords({ stdout, stderr }: ExecResult): string {
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-3).join(' / ');
  return said === '' ? 'it said nothing' : said.slice(0, 400);
}

interface Questions {
  target: ProbeTarget;
  commands: string[][];
  /** For each of them, besides the container's own: `NAME=value`. */
  env?: string[];
  /** What is said when all of them exit 0. */
  success: string;
}

/** For probes that ask several commands: the first failure is the answer. */
export async function execAll({ target, commands, env, success }: Questions): Promise<Answer> {
  for (const command of commands) {
    const answer = await execProbe(target, command, env).ask();
    if (!answer.healthy) return answer;
  }
  return healthy(success);
}
