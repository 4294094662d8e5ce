import { formatTime } from '../domain/format';
import { OBSERVES, type Mode } from '../domain/mode';
import type { KeptContainer } from '../ports/stopped-containers';
import { asCheck, type Check, type CheckStatus, type Problem } from './problem';

export const CHECK_NAMES = [
  'database',
  'docker',
  'scheduler',
  'outbox',
  'backups',
  'certificates',
  'channels',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export interface HealthReport {
  status: CheckStatus;
  version: string;
  checks: Record<CheckName, Check>;
}

const ESSENTIAL: readonly CheckName[] = ['database', 'docker'];

/** `down` only when the service cannot do its work (docs/api.md): without its database or without Docker. */
export function healthReport(version: string, checks: Record<CheckName, Check>): HealthReport {
  const down = ESSENTIAL.some((name) => checks[name].status === 'down');
  const allOk = CHECK_NAMES.every((name) => checks[name].status === 'ok');
  return { status: down ? 'down' : allOk ? 'ok' : 'degraded', version, checks };
}

/** The worker first: while it waits, nothing that a timer rang can be done. */
export function schedulerCheck(worker: Check, problems: readonly Problem[]): Check {
  return worker.status === 'ok' ? asCheck(problems) : worker;
}

/** Not a fault, but said: while diun-pilot observes, updates stay in the queue. */
export function underMode(mode: Mode, check: Check): Check {
  return mode === 'observe' && check.status === 'ok' ? { ...check, reason: OBSERVES } : check;
}

/** With Docker up, what is wrong there; else what is kept on purpose. */
export function dockerCheck(docker: Check, problems: readonly Problem[], kept: readonly KeptContainer[]): Check {
  if (docker.status !== 'ok') return docker;
  return problems.length === 0 ? { ...docker, ...onPurpose(kept) } : asCheck(problems);
}

/** No fault, but not hidden either. Without the names of files: this is open to anyone. */
function onPurpose(kept: readonly KeptContainer[]): { reason?: string } {
  const words = kept.map(({ name, keepUntil }) => `${name} is kept, stopped, until ${formatTime(keepUntil)}`);
  return words.length === 0 ? {} : { reason: words.join('; ') };
}
