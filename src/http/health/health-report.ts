import type { BackupRecord } from '../../domain/backups/backup';
import { formatTime } from '../../domain/format';
import { OBSERVES, type Mode } from '../../domain/mode';
import type { KeptContainer } from '../../ports/stopped-containers';
import type { NoticeDeliveries } from '../../ports/outbox';
import type { Outbox } from '../../ports/store';
import type { Notice, TimerState } from '../../ports/timers';

export const CHECK_STATUSES = ['ok', 'degraded', 'down'] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

export interface Check {
  status: CheckStatus;
  /** As text, with the remedy; present when the status is not ok, else only to name what is kept on purpose. */
  reason?: string;
}

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

/** `down` only when the service cannot do its work (contract, section 3): without its database or without Docker. */
export function healthReport(version: string, checks: Record<CheckName, Check>): HealthReport {
  const down = ESSENTIAL.some((name) => checks[name].status === 'down');
  const allOk = CHECK_NAMES.every((name) => checks[name].status === 'ok');
  return { status: down ? 'down' : allOk ? 'ok' : 'degraded', version, checks };
}

/** The worker first: while it waits, nothing that a timer rang can be done. */
export function schedulerCheck(worker: Check, timers: readonly TimerState[]): Check {
  if (worker.status !== 'ok') return worker;
  const troubles = timers.flatMap(({ name, last }) =>
    last === null || last.trouble === null ? [] : [`${name}: ${last.trouble}`],
  );
  return troubles.length === 0 ? { status: 'ok' } : degraded(troubles.join('; '));
}

/** Not a fault, but said: while diun-pilot observes, updates stay in the queue. */
export function underMode(mode: Mode, check: Check): Check {
  return mode === 'observe' && check.status === 'ok' ? { ...check, reason: OBSERVES } : check;
}

/** Longer than the first retries take, shorter than an operator should stay in the dark. */
const MAIL_IS_LATE_MS = 15 * 60_000;

export function outboxCheck(state: ReturnType<Outbox['state']>, now: Date): Check {
  if (state.refused > 0) {
    return degraded(
      `${count(state.refused, 'mail')} refused by the mail server: run \`diun-pilot check\`, fix the settings and restart`,
    );
  }
  const oldest = state.oldestPendingAt;
  if (oldest !== null && now.getTime() - Date.parse(oldest) > MAIL_IS_LATE_MS) {
    return degraded(
      `${count(state.pending, 'mail')} waiting since ${formatTime(oldest)}: the mail server does not take them, run \`diun-pilot check\``,
    );
  }
  return { status: 'ok' };
}

/** Each channel with how far its deliveries have come. */
export interface ChannelState extends ReturnType<NoticeDeliveries['state']> {
  name: string;
}

/** What a service said is for the page and `check` only: anyone may read `/health`. */
export function channelsCheck(channels: readonly ChannelState[], now: Date): Check {
  const problems = channels.flatMap(({ name, refused, pending, oldestPendingAt }) => {
    if (refused > 0) return [`${count(refused, 'notice')} refused by ${name}`];
    const late = oldestPendingAt !== null && now.getTime() - Date.parse(oldestPendingAt) > MAIL_IS_LATE_MS;
    return late ? [`${count(pending, 'notice')} waiting for ${name}`] : [];
  });
  return problems.length === 0
    ? { status: 'ok' }
    : degraded(`${problems.join('; ')}: run \`diun-pilot check --notify\`, fix PILOT_NOTIFY_URL and restart`);
}

/** Degraded when the newest finished backup of a project failed, is too old or shrank. `records`: newest first. */
export function backupsCheck(records: BackupRecord[], notices: readonly Notice[] = []): Check {
  const newest = new Map<string, BackupRecord>();
  for (const record of records) {
    const finished = record.status === 'succeeded' || record.status === 'failed';
    const subject = subjectOf(record);
    if (finished && !newest.has(subject)) newest.set(subject, record);
  }
  const failed = [...newest].filter(([, record]) => record.status === 'failed').map(([subject]) => subject);
  const problems = [
    ...(failed.length === 0 ? [] : [`the last backup of ${failed.join(', ')} failed`]),
    ...notices.filter(({ kind }) => !OF_DOCKER.includes(kind)).map(({ words }) => words),
  ];
  return problems.length === 0 ? { status: 'ok' } : degraded(`${problems.join('; ')}: see \`diun-pilot backups\``);
}

const OF_DOCKER: readonly Notice['kind'][] = ['network_lost', 'unreadable', 'disk_nearly_full'];

/** With Docker up, it reports a disk that is nearly full, watched containers that cannot be reached, and containers that an update left over. */
export function dockerAndContainers(docker: Check, notices: readonly Notice[], kept: readonly KeptContainer[]): Check {
  const lost = notices.filter(({ kind }) => OF_DOCKER.includes(kind)).map(({ words }) => words);
  const left = kept
    .filter(({ leftover }) => leftover)
    .map(
      ({ name, reason }) => `${name} still exists: ${reason} Restart diun-pilot, or run \`docker rm -f -v ${name}\``,
    );
  const problems = [...lost, ...left];
  if (docker.status !== 'ok') return docker;
  return problems.length === 0 ? { ...docker, ...onPurpose(kept) } : degraded(problems.join('; '));
}

/** No fault, but not hidden either. Without the names of files: this is open to anyone. */
function onPurpose(kept: readonly KeptContainer[]): { reason?: string } {
  const words = kept.map(({ name, keepUntil }) => `${name} is kept, stopped, until ${formatTime(keepUntil)}`);
  return words.length === 0 ? {} : { reason: words.join('; ') };
}

function subjectOf(record: BackupRecord): string {
  return record.project ?? record.container ?? 'everything';
}

export function degraded(reason: string): Check {
  return { status: 'degraded', reason };
}

function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun} is` : `${number} ${noun}s are`;
}
