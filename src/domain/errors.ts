import { asSentence } from './format';

/**
 * Errors named by situation. `code` is stable (documented in docs/errors.md, held by a test), `message` says what
 * happened and what to do, and is fit for a mail: no path of this machine, no secret, no stack.
 */
export class PilotError extends Error {
  override readonly name: string = 'PilotError';
  /** For programs, in the JSON of an HTTP answer: such as the field that is wrong, and why. */
  readonly details?: Record<string, unknown>;
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown; details?: Record<string, unknown> },
  ) {
    super(message, options);
    if (options?.details !== undefined) this.details = options.details;
  }
}

/** Thrown by the ports `Engine`, `RegistryTags`, `RegistryImages` and `RegistrySignatures`. */
export class EngineError extends PilotError {
  override readonly name = 'EngineError';
}

/** Thrown by the port `BackupStorage`. */
export class StorageError extends PilotError {
  override readonly name = 'StorageError';
}

/** Thrown by the ports `MailTransport` and `Channel`. */
export class MailError extends PilotError {
  override readonly name = 'MailError';
  constructor(
    code: ErrorCode,
    message: string,
    /** Trying again cannot help. */
    readonly permanent: boolean,
    options?: { cause?: unknown; retryAfterMs?: number },
  ) {
    super(code, message, options);
    this.retryAfterMs = options?.retryAfterMs ?? 0;
  }

  /** The service asks not to be called again before this time has passed; 0: it names none. */
  readonly retryAfterMs: number;
}

/** Every code, with the situation in a few words. */
export const ERROR_CODES = {
  engine_unreachable: 'No Docker Engine answers',
  engine_refused: 'The Docker Engine refused a call',
  container_not_found: 'There is no container with that name',
  container_not_watched: 'The container does not have the label diun.enable=true',
  container_is_self: 'diun-pilot does not update the container it runs in',
  container_is_engine_door: 'diun-pilot reaches the Docker Engine through this container',
  swarm_task: 'The container is a Swarm task, which only its service updates',
  service_not_found: 'There is no Swarm service with that name',
  service_refused: 'The Swarm service cannot be updated as it is',
  image_not_found: 'The image is not on this engine',
  name_taken: 'A container with that name already exists',
  registry_refused: 'The registry refuses this image',
  registry_unreachable: 'The registry does not answer',
  digest_not_confirmed: 'The registry has another digest for the tag',
  signature_invalid: 'The image is signed, but not by the required signer',
  signature_not_checked: 'The key or the trusted root for signatures cannot be read',
  pull_failed: 'The image could not be pulled',
  exec_failed: 'A command inside a container failed',
  invalid_reference: 'Not an image reference',
  auto_remove: 'The container was started with --rm, so no rollback is possible',
  different_repository: 'The image is from a different repository than the image of the container',
  policy_ignore: 'The policy of the container is ignore',
  backup_failed: 'The backup failed, so nothing was changed',
  backup_not_verified: 'The stored backup differs from what was written',
  backup_not_authenticated: 'Nothing proves that this diun-pilot took the backup',
  storage_full: 'The backup storage is full',
  storage_refused: 'The backup storage refuses access',
  storage_unreachable: 'The backup storage does not answer',
  storage_needs_stopped: 'The backup storage needs a container that is stopped for the backup',
  object_not_found: 'The object is not in the backup storage',
  object_archived: 'The object was moved to an archive class of the storage',
  mail_refused: 'The mail server refuses the mail',
  mail_unreachable: 'The mail server does not answer',
  channel_refused: 'A channel refuses the notice',
  channel_unreachable: 'A channel does not answer',
  container_not_running: 'The container is not running, so an update could not be verified',
  preflight_failed: 'The new image cannot work here',
  preflight_blocked: 'The environment of the container does not allow an update now',
  major_failed: 'The data could not be moved to the new PostgreSQL major',
  recreate_refused: 'The new container would differ from the old one',
  recreate_failed: 'The new container could not be created or started',
  unhealthy: 'The new container did not become healthy',
  other_unhealthy: 'Another container is not healthy after the update',
  changed_meanwhile: 'The container was changed externally during its update',
  rollback_failed: 'The old container is down or unhealthy after the rollback',
  data_changed: 'The old container runs, but on the data of the new version',
  unhealthy_as_before: 'The old container fails its health check, as it did before the update',
  project_file_refused: 'A file of the compose project could not be read or written',
  compose_failed: 'Docker Compose did not return the hash of a service',
  restore_refused: 'The backup cannot be restored here',
  restore_failed: 'The restore failed; the message says whether the previous data is in place',
  restore_not_healthy: 'The data is restored, but a container that uses it is not healthy',
  drill_failed: 'A backup could not be restored in a restore drill',
  backup_not_found: 'There is no backup with that name',
  not_confirmed: 'The restore was not confirmed',
  interrupted: 'diun-pilot was stopped in the middle of the update',
  certificate_unreadable: 'A certificate could not be read',
  renewal_failed: 'The renewal of a certificate failed',
  certificate_not_served: 'The renewed certificate is not served',
  invalid_settings: 'Settings are invalid',
  invalid_request: 'The request has the wrong shape',
  invalid_body: 'The body is not JSON',
  body_too_large: 'The body is larger than 64 KiB',
  unauthorized: 'The token is missing or wrong',
  cross_site: 'The request comes from another site',
  person_not_trusted: 'The request names a person but does not come from a trusted proxy',
  form_expired: 'The form is too old',
  link_closed: 'The link was used, has expired or was superseded',
  name_needed: 'The name of the container must be typed to approve',
  method_not_allowed: 'The route does not support this method',
  not_found: 'There is no route at this address',
  update_not_found: 'There is no update with that ID',
  observe_mode: 'diun-pilot only observes (PILOT_MODE=observe)',
  no_window: 'The container has no update window',
  rehearsal_required: 'The update needs a passed rehearsal before it is approved',
  compose_change_required: 'The compose file must change before the update is approved',
  not_waiting: 'The update is not pending',
  update_running: 'An update of this container is already running',
  too_many_requests: 'Too many requests',
  service_stopping: 'diun-pilot is stopping',
  data_dir_in_use: 'Another diun-pilot uses this data directory',
  database_newer: 'The database was written by a newer diun-pilot',
  internal_error: 'A defect in diun-pilot',
} as const;
/** One of them. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What went wrong, as a record keeps it; words as in a PilotError. */
export interface Failure {
  code: ErrorCode;
  message: string;
}

/** The code of anything thrown; everything but a PilotError is a defect. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof PilotError ? error.code : 'internal_error';
}

/** Whether no engine answered. Then the state of the work is unknown: it is called again and has not failed. */
export function isEngineLost(error: unknown): boolean {
  return codeOf(error) === 'engine_unreachable';
}

/** As better-sqlite3 names them (https://sqlite.org/rescode.html). Others, such as `SQLITE_CONSTRAINT`, are defects of ours. */
const REFUSALS = /^SQLITE_(BUSY|CANTOPEN|CORRUPT|FULL|IOERR|LOCKED|NOMEM|NOTADB|PERM|READONLY)/;

/** What the database, its disk or another process that uses it refuses: the work is called again, and goes on from what is recorded. */
export function isRefusedByDatabase(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && REFUSALS.test(String(error.code));
}

/** First in a handler of failures that is not the last one: a lost engine is handled by who calls the work again. */
export function rethrowEngineLost(error: unknown): void {
  if (isEngineLost(error)) throw error;
}

/** Nothing is decided by it: the update stays as it is recorded, and is called again. */
export function isUndecided(error: unknown): boolean {
  return isEngineLost(error) || isRefusedByDatabase(error);
}

/** The same, in a handler that decides how an update ends. */
export function rethrowUndecided(error: unknown): void {
  if (isUndecided(error)) throw error;
}

/** The words of any thrown thing, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The first line of a message: below it may be the last lines of a log. */
export function firstLineOf(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

/** Anything thrown as one of ours; everything but a PilotError is a defect. */
export function toPilotError(error: unknown): PilotError {
  return error instanceof PilotError ? error : new PilotError('internal_error', messageOf(error), { cause: error });
}

/**
 * The message of a failure that came on the way back from another, `cause`; `why` introduces it. The first line says both. The
 * others are what the failed container logged: the log of the cause is in its own step.
 */
export function withCause(failure: unknown, why: string, cause: PilotError): string {
  const [said = '', ...log] = messageOf(failure).split('\n');
  return [`${asSentence(said)} ${why} ${firstLineOf(cause.message)}`, ...log].join('\n');
}
