import { spawn, type ChildProcess } from 'node:child_process';
import { sendSignal } from './process-identity';

export interface CommandOptions {
  input?: string | Buffer;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  timeoutMs?: number;
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** A program that ended with another code than 0; the message carries the end of what it printed. */
export class CommandFailed extends Error {
  constructor(
    readonly command: string,
    readonly outcome: Outcome,
  ) {
    super(`${command} ended with code ${outcome.code}: ${tail(outcome.stderr || outcome.stdout)}`);
    this.name = 'CommandFailed';
  }
}

const running = new Set<ChildProcess>();

/** Ends the programs that run now, with all that they started: nobody waits for their results any more. */
export function endCommands(): void {
  for (const child of running) end(child, 'SIGTERM');
}

/** Runs a program to its end and tells how it went; rejects only when it cannot be started or exceeds its time. */
export function attempt(file: string, args: string[], options: CommandOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: 'pipe',
      detached: true,
    });
    running.add(child);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const deadline = setTimeout(() => end(child, 'SIGKILL'), options.timeoutMs ?? 600_000);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => {
      running.delete(child);
      clearTimeout(deadline);
      reject(error);
    });
    child.on('close', (code, signal) => {
      running.delete(child);
      clearTimeout(deadline);
      const outcome = { code: code ?? 1, stdout: text(stdout), stderr: text(stderr) };
      if (signal === 'SIGKILL') outcome.stderr += `\n(killed after ${options.timeoutMs ?? 600_000} ms)`;
      resolve(outcome);
    });
    // A program that ends without reading its input closes the pipe: its exit code tells the story, not EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** Runs a program and returns what it printed, without the last line break; throws CommandFailed. */
export async function run(file: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const outcome = await attempt(file, args, options);
  if (outcome.code !== 0) throw new CommandFailed([file, ...args].join(' '), outcome);
  return outcome.stdout.trimEnd();
}

/** Each program leads a process group of its own. */
function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) sendSignal(-child.pid, signal);
}

function text(chunks: Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

function tail(output: string): string {
  return output.trim().split('\n').slice(-15).join('\n');
}
