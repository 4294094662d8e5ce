import { type BackupRecord, keyOfPlace, scopeName } from '../domain/backups/backup';
import {
  type CertificateSeen,
  daysLeft,
  isNotLoaded,
  nearsItsEnd,
  type RenewalRecord,
} from '../domain/certificates/certificate';
import type { NoticeTopic } from '../domain/channel-notice';
import { asSentence, formatTime, plural } from '../domain/format';
import type { Clock } from '../lib/clock';
import type { Channel } from '../ports/mail-transport';
import type { NoticeDeliveries } from '../ports/outbox';
import type { KeptContainer } from '../ports/stopped-containers';
import type { Outbox, Store } from '../ports/store';
import type { Notice, TimerState } from '../ports/timers';
import type { CheckName } from './health-report';
import type { Problem } from './problem';

/** Longer than the first retries take, shorter than an operator should stay in the dark. */
const MAIL_IS_LATE_MS = 15 * 60_000;

/** A channel with how far its deliveries have come. */
export interface ChannelState extends ReturnType<NoticeDeliveries['state']> {
  name: string;
  topics: readonly NoticeTopic[];
}

export function channelStates({ store, channels }: Pick<Sight, 'store' | 'channels'>): ChannelState[] {
  return channels.map(({ id, name, topics }) => ({ name, topics, ...store.channels.of(id).state() }));
}

/** The checks whose problems are in the database. */
export type StoredCheck = Exclude<CheckName, 'database'>;

interface Sight {
  store: Store;
  channels: readonly Pick<Channel, 'id' | 'name' | 'topics'>[];
  clock: Clock;
}

/** What is wrong now by the word of the database. Each is read when it is called, and throws if it cannot be. */
export function storedProblems({ store, channels, clock }: Sight): Record<StoredCheck, () => Problem[]> {
  return {
    docker: () => dockerProblems(store.notices.all(), store.keptContainers.all()),
    scheduler: () => workProblems(store.timers.all()),
    outbox: () => outboxProblems(store.outbox.state(), clock.now()),
    backups: () => backupProblems(store.backups.list(200), store.notices.all()),
    certificates: () => [
      ...store.certificates.list().flatMap((seen) => certificateProblems(seen, clock.now())),
      ...renewalProblems(store.renewals.lastFinished()),
    ],
    channels: () => channelProblems(channelStates({ store, channels }), clock.now()),
  };
}

const OF_DOCKER: readonly Notice['kind'][] = ['network_lost', 'unreadable', 'disk_nearly_full'];
const OF_BACKUPS: readonly Notice['kind'][] = ['backup_old', 'backup_shrunk', 'drill_failed'];

/** A disk that is nearly full, watched containers that cannot be reached, and containers that an update left over. */
export function dockerProblems(notices: readonly Notice[], kept: readonly KeptContainer[]): Problem[] {
  return [
    ...notices.flatMap((notice) => problemOf(notice, OF_DOCKER)),
    ...kept
      .filter(({ leftover }) => leftover)
      .map((each): Problem => ({ kind: 'left_over', subject: each.name, words: leftOver(each) })),
  ];
}

/** The reason says what to do, if anything: no command is offered that could remove the only copy of data. */
export function leftOver({ name, reason }: Pick<KeptContainer, 'name' | 'reason'>): string {
  return `${name} still exists: ${asSentence(reason)} Its removal is retried every 10 minutes`;
}

function problemOf({ kind, subject, words }: Notice, wanted: readonly Notice['kind'][]): Problem[] {
  return kind !== 'set_gone' && wanted.includes(kind) ? [{ kind, subject, words }] : [];
}

/** Of timers, and of work that events make due. */
export function workProblems(timers: readonly TimerState[]): Problem[] {
  return timers.flatMap(({ name, last }): Problem[] =>
    last === null || last.trouble === null
      ? []
      : [{ kind: 'work_in_trouble', subject: name, words: `${name}: ${last.trouble}` }],
  );
}

export function outboxProblems(
  { pending, refused, oldestPendingAt, lastError }: ReturnType<Outbox['state']>,
  now: Date,
): Problem[] {
  const seen = { subject: null, detail: lastError, lookUp: 'run `diun-pilot check`' };
  if (refused > 0) {
    const words = `${countRefused(refused, 'mail')} by the mail server`;
    return [{ ...seen, kind: 'mail_refused', words, remedy: 'fix the settings and restart' }];
  }
  if (!isLate(oldestPendingAt, now)) return [];
  const since = oldestPendingAt === null ? '' : ` since ${formatTime(oldestPendingAt)}`;
  const words = `${count(pending, 'mail')} waiting${since}, not accepted by the mail server`;
  return [{ ...seen, kind: 'mail_late', words }];
}

/** What a service said is for the operator only. */
export function channelProblems(channels: readonly Omit<ChannelState, 'topics'>[], now: Date): Problem[] {
  return channels.flatMap(({ name, refused, pending, oldestPendingAt, lastError }): Problem[] => {
    const seen = {
      ...{ subject: name, detail: lastError },
      ...{ lookUp: 'run `diun-pilot check --notify`', remedy: 'fix PILOT_NOTIFY_URL and restart' },
    };
    if (refused > 0)
      return [{ ...seen, kind: 'channel_refused', words: `${countRefused(refused, 'notice')} by ${name}` }];
    const late = isLate(oldestPendingAt, now);
    return late ? [{ ...seen, kind: 'channel_late', words: `${count(pending, 'notice')} waiting for ${name}` }] : [];
  });
}

function isLate(since: string | null, now: Date): boolean {
  return since !== null && now.getTime() - Date.parse(since) > MAIL_IS_LATE_MS;
}

/** The newest finished backup of a project failed, is too old or shrank, or its drill failed. `records`: newest first. */
export function backupProblems(records: readonly BackupRecord[], notices: readonly Notice[] = []): Problem[] {
  const gone = new Set(notices.filter(({ kind }) => kind === 'set_gone').map(({ subject }) => subject));
  const newest = new Map<string, BackupRecord>();
  for (const record of records) {
    const finished = record.status === 'succeeded' || record.status === 'failed';
    const set = keyOfPlace(record);
    if (finished && !gone.has(set) && !newest.has(set)) newest.set(set, record);
  }
  const failed = [...newest.values()].filter(({ status }) => status === 'failed').map(scopeName);
  const remedy = 'see `diun-pilot backups`';
  const words = `the last backup of ${failed.join(', ')} failed`;
  return [
    ...(failed.length === 0 ? [] : [{ kind: 'backup_failed', subject: null, words, remedy } as const]),
    ...notices.flatMap((notice) => problemOf(notice, OF_BACKUPS)).map((problem) => ({ ...problem, remedy })),
  ];
}

/** A certificate nears its end, is not the one that is served, or could not be looked at. */
export function certificateProblems(seen: CertificateSeen, now: Date): Problem[] {
  const { name, server, served, disk, problem } = seen;
  const problems: Problem[] = [];
  const about = { subject: name, remedy: 'run `diun-pilot renew`' };
  const soonest = [served, disk].find((each) => each !== null && nearsItsEnd(each, now)) ?? null;
  if (soonest !== null) {
    const days = daysLeft(soonest, now);
    const words = `the certificate of ${name} ${days < 0 ? 'has expired' : `has ${plural(days, 'day')} left`}`;
    problems.push({ ...about, kind: 'certificate_near_end', words });
  }
  if (isNotLoaded(seen)) {
    const words = `${server} does not serve the certificate for ${name} that is on disk`;
    problems.push({ ...about, kind: 'certificate_not_loaded', words });
  }
  if (problem !== null) {
    const words = `a certificate of ${name} could not be read`;
    problems.push({
      kind: 'certificate_not_seen',
      subject: name,
      words,
      detail: problem,
      lookUp: 'GET /renewals says why',
    });
  }
  return problems;
}

/** It is retried the next day. */
export function renewalProblems(last: RenewalRecord | null): Problem[] {
  if (last?.status !== 'failed') return [];
  const remedy = 'see GET /renewals. It is retried the next day; to retry now: `diun-pilot renew`';
  return [{ kind: 'renewal_failed', subject: null, words: 'the last renewal failed', remedy }];
}

function countRefused(number: number, noun: string): string {
  return `${plural(number, noun)} ${number === 1 ? 'was' : 'were'} refused`;
}

function count(number: number, noun: string): string {
  return `${plural(number, noun)} ${number === 1 ? 'is' : 'are'}`;
}
