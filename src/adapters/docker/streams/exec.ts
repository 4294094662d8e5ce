import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { EngineError } from '../../../domain/errors';
import { systemClock } from '../../../lib/clock';
import type { ExecOptions, ExecResult } from '../../../ports/engine';
import type { Wire } from '../wire';
import { Capture, demux } from './output';

/** After the output has ended, a command has so long to end itself: else the connection was cut under it. */
const END_WITHIN_MS = 30_000;
const LONGEST_LINE = 500;

interface Started {
  id: string;
  connection: Socket;
}

/** Runs a command to its end, fed with `input` if there is one. */
export async function run(
  wire: Wire,
  container: string,
  command: string[],
  options: ExecOptions = {},
  input?: Readable,
): Promise<ExecResult> {
  // An input may break before there is a connection to feed: `feed` reports it then.
  input?.on('error', () => undefined);
  const { id, connection } = await start(wire, container, command, options, input !== undefined);
  const [stdout, stderr] = [new Capture(), new Capture()];
  const stop = abortable(connection, options.signal);
  try {
    const fed = input ? feed(connection, input) : Promise.resolve();
    const keep = (capture: Capture) => (part: Buffer) => (capture.take(part), true);
    const read = demux(connection, { stdout: keep(stdout), stderr: keep(stderr) });
    await Promise.all([fed, endOfOutput(read, input)]);
    return { exitCode: await exitCode(wire, id, options.signal), stdout: stdout.toString(), stderr: stderr.toString() };
  } catch (error) {
    throw options.signal?.aborted ? options.signal.reason : error;
  } finally {
    stop();
    connection.destroy();
    input?.destroy();
  }
}

/** Runs a command whose output is data: it ends only after the exit code is known to be 0. */
export async function output(
  wire: Wire,
  container: string,
  command: string[],
  options: ExecOptions = {},
): Promise<Readable> {
  const { id, connection } = await start(wire, container, command, options, false);
  const stderr = new Capture();
  const content = new Readable({
    highWaterMark: 1024 * 1024,
    read: () => void connection.resume(),
    destroy: (error, done) => {
      connection.destroy();
      done(error);
    },
  });
  const stop = abortable(connection, options.signal);
  const read = demux(connection, { stdout: (part) => content.push(part), stderr: (part) => stderr.take(part) });
  finish(wire, id, command, read, stderr, options.signal)
    .then(() => content.push(null))
    .catch((error: Error) => content.destroy(error))
    .finally(stop);
  return content;
}

async function finish(
  wire: Wire,
  id: string,
  command: string[],
  read: Promise<void>,
  stderr: Capture,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await read;
    const code = await exitCode(wire, id, signal);
    if (code !== 0) throw execError(command, code, stderr.toString());
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}

async function start(
  wire: Wire,
  container: string,
  command: string[],
  options: ExecOptions,
  stdin: boolean,
): Promise<Started> {
  const path = `/containers/${encodeURIComponent(container)}/exec` as const;
  const { signal } = options;
  const body = {
    AttachStdin: stdin,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    Cmd: command,
    User: options.user,
    Env: options.env,
  };
  const { Id: id } = await wire.call<{ Id: string }>({ method: 'POST', path, body, signal });
  const connection = await wire.hijack({
    method: 'POST',
    path: `/exec/${id}/start`,
    body: { Detach: false, Tty: false },
    signal,
  });
  return { id, connection };
}

/** Feeds the command, with backpressure, and closes its input at the end. One that ends early simply takes no more. */
function feed(connection: Socket, input: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    const broken = (): void => {
      if (!input.readableEnded && !connection.destroyed)
        reject(input.errored ?? new Error('the input was closed early'));
    };
    if (input.destroyed) return broken();
    input.once('error', broken);
    input.once('close', broken);
    input.once('end', resolve);
    connection.once('end', resolve);
    connection.once('close', resolve);
    input.pipe(connection);
  });
}

/** Writing to a command that has ended breaks the connection: then the exit code is the result. */
async function endOfOutput(read: Promise<void>, input: Readable | undefined): Promise<void> {
  try {
    await read;
  } catch (error) {
    const cause = (error as EngineError).cause as { code?: string } | undefined;
    if (input === undefined || !['EPIPE', 'ECONNRESET'].includes(cause?.code ?? '')) throw error;
  }
}

async function exitCode(wire: Wire, id: string, signal?: AbortSignal): Promise<number> {
  const path = `/exec/${id}/json` as const;
  for (let waited = 0, pause = 10; waited < END_WITHIN_MS; waited += pause, pause = Math.min(2 * pause, 500)) {
    const { Running, ExitCode } = await wire.call<{ Running: boolean; ExitCode: number | null }>({
      method: 'GET',
      path,
      signal,
    });
    if (!Running && ExitCode !== null) return ExitCode;
    await systemClock.sleep(pause, signal);
  }
  throw new EngineError(
    'exec_failed',
    'The output of a command ended, but the command did not. Look at the log of the Docker Engine.',
  );
}

function abortable(connection: Socket, signal: AbortSignal | undefined): () => void {
  const onAbort = (): void => void connection.destroy(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => signal?.removeEventListener('abort', onAbort);
}

function execError(command: string[], code: number, stderr: string): EngineError {
  // pg_dump names every table that it wanted to lock, in one line.
  const last = stderr.trim().split('\n').slice(-5);
  const lines = last.map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line)).join('\n');
  return new EngineError('exec_failed', `${command[0]} ended with exit code ${code}${lines ? `: ${lines}` : '.'}`);
}
