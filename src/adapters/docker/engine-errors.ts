import { EngineError, messageOf, PilotError, type ErrorCode } from '../../domain/errors';
import { shortId } from '../../domain/format';

/** Shape of what docker-modem rejects with: a status and the engine's JSON, or a system error. */
interface ModemError extends Error {
  statusCode?: number;
  code?: string;
}

const CONNECTION_HINTS: Record<string, string> = {
  ECONNREFUSED: 'Nothing listens at the address of DOCKER_HOST. Start the engine, or fix DOCKER_HOST.',
  ENOENT: 'Its socket does not exist. Start the engine, mount the socket, or fix DOCKER_HOST.',
  EACCES: 'Permission denied on its socket. Add the group of the socket (group_add in docker-compose.yml).',
  EPERM: 'Permission denied on its socket. Add the group of the socket (group_add in docker-compose.yml).',
  ENOTFOUND: 'Its host name does not exist. Fix DOCKER_HOST.',
  EAI_AGAIN: 'The name of its host cannot be resolved now. Check DNS, or fix DOCKER_HOST.',
};

/**
 * Whether a proxy of the socket answers that finds no engine behind it. No engine answers 502 (moby, api/server/httpstatus); 503
 * and 504 come with its JSON, and from HAProxy, as in tecnativa/docker-socket-proxy, with a page.
 */
function isOfProxy(error: ModemError): boolean {
  const { statusCode = 0, message } = error;
  return statusCode === 502 || ([503, 504].includes(statusCode) && isPage(message));
}

/** docker-modem puts the engine's `message` behind the dash, or the whole body where it is not JSON. */
function isPage(message: string): boolean {
  return /^\(HTTP code \d+\) .*? - (?:\s*<|\s*$)/.test(message);
}

/** Any failure of a call as one of ours, with the engine's own words where it gave some. */
export function toEngineError(error: unknown): PilotError {
  if (error instanceof PilotError) return error;
  const { statusCode, code } = error as ModemError;
  const isLost = statusCode === undefined || isOfProxy(error as ModemError);
  return isLost ? unreachable(error, code) : engineRefused(error, statusCode);
}

export function timedOut(seconds: number): EngineError {
  return new EngineError(
    'engine_unreachable',
    `The Docker Engine did not answer within ${seconds} s. Check its log and the load of the host.`,
  );
}

/**
 * A call that did not end in its time, of an engine that answers others. It is refused: whether the engine still completes it
 * is not known, as after any refusal.
 */
export class NotCompleted extends EngineError {
  constructor({ method, path }: { method: string; path: string }, seconds: number) {
    const call = `${method} ${path.replace(/[0-9a-f]{64}/g, shortId)}`;
    super(
      'engine_refused',
      `The Docker Engine answers, but did not complete ${call} within ${seconds} s. Look at its log, and at the volumes, networks and disks that it waits for.`,
    );
  }
}

export function engineStatusOf(error: unknown): number | undefined {
  return ((error as PilotError).cause as ModemError | undefined)?.statusCode;
}

function unreachable(error: unknown, code: string | undefined): EngineError {
  const hint = CONNECTION_HINTS[code ?? ''] ?? 'The connection was cut. Check the log of the engine.';
  const what = code === undefined ? '' : ` (${code})`;
  return new EngineError('engine_unreachable', `The Docker Engine does not answer${what}. ${hint}`, { cause: error });
}

function engineRefused(error: unknown, status: number): EngineError {
  const words = engineWords(messageOf(error));
  const code = codeFor(words, status);
  const prefix = code === 'engine_refused' ? 'The Docker Engine refused: ' : '';
  return new EngineError(code, `${prefix}${words}`, { cause: error });
}

/** Only the engine's messages distinguish one 404 or 409 from another (moby, api/server/httpstatus). */
function codeFor(words: string, status: number): ErrorCode {
  if (status === 404 && /no such container/i.test(words)) return 'container_not_found';
  if (status === 404 && /no such image|image .{0,300}not found/i.test(words)) return 'image_not_found';
  if (status === 409 && /name \S+ is already in use/i.test(words)) return 'name_taken';
  return 'engine_refused';
}

/** docker-modem says `(HTTP code 404) no such container - WORDS `. */
function engineWords(message: string): string {
  const words = message.replace(/^\(HTTP code \d+\) .*? - /, '').trim();
  return words.replace(/^Error response from daemon: /, '') || 'it gave no reason';
}
