import { messageOf } from '../domain/errors';
import { plural } from '../domain/format';
import { keptDataText } from '../domain/recreate/carry-over';
import { HOW_TO_ACT, OBSERVES } from '../domain/mode';
import type { Container } from '../domain/container';
import type { ChannelNotice } from '../domain/channel-notice';
import type { App } from '../app';
import { atTime } from './text';
import { withinTime } from '../lib/promises';
import { checkStorage } from '../backups/check-storage';
import { forOperator, type Problem, type ProblemKind } from '../diagnosis/problem';
import {
  channelProblems,
  channelStates,
  leftOver,
  outboxProblems,
  storedProblems,
  type ChannelState,
  type StoredCheck,
} from '../diagnosis/problems';

/** One thing that `check` looked at. `failed` makes its exit code 1; `words` say what to do. */
export interface Finding {
  what: string;
  status: 'ok' | 'warning' | 'failed';
  words: string;
}

const ANSWERS_WITHIN_MS = 30_000;
/** What guards a token is its length: no limit keeps a right guess out (http/access/guards). */
const SHORTEST_TOKEN = 16;

/** Asks everything that the service depends on, all at once; none can keep `check` waiting for ever. */
export function askAll(app: App): Promise<Finding[]> {
  const { engine, storage, transport, store } = app;
  return Promise.all([
    Promise.resolve(settingsFinding(app)),
    ...(app.settings.mode === 'observe' ? [Promise.resolve(MODE_FINDING)] : []),
    asked(app, 'Docker', async () => {
      const version = await engine.version();
      return `Engine ${version.engine}, API ${version.api}, ${version.os}/${version.architecture}`;
    }),
    asked(app, 'Database', () => {
      store.check();
      return Promise.resolve('reads and writes');
    }),
    asked(app, 'Backups', async () => {
      await checkStorage(storage);
      return `${backupTarget(app)}: can write, read and delete`;
    }),
    asked(app, 'Mail', async () => {
      await transport.check();
      return `${app.settings.mail.kind}: to ${app.settings.mailTo.join(', ')}`;
    }),
    Promise.resolve(outboxFinding(app)),
    ...channelStates(app).map((state) => Promise.resolve(channelFinding(app, state))),
  ]);
}

/** Sends a test notice to every channel, with the title that says so. */
export function testChannels(app: App): Promise<Finding[]> {
  const at = app.clock.now();
  return Promise.all(
    app.channels.map((channel) =>
      asked(app, `Test notice to ${channel.name}`, async () => {
        await channel.send({
          ...TEST_NOTICE,
          id: `test-${at.getTime()}`,
          at: at.toISOString(),
          topic: channel.topics[0] ?? 'failures',
        });
        return 'accepted: check that it arrived';
      }),
    ),
  );
}

const TEST_NOTICE = {
  kind: 'test',
  title: 'diun-pilot: test notice',
  verdict: 'Test',
  priority: 3,
  text: ['An operator ran `diun-pilot check --notify`. There is nothing to do.'],
  link: null,
} as const satisfies Partial<ChannelNotice>;

function outboxFinding({ store, clock }: App): Finding {
  const state = store.outbox.state();
  const [problem] = outboxProblems(state, clock.now());
  if (problem !== undefined) return warningOf('Outbox', problem);
  const words = state.pending === 0 ? 'no mail pending' : `${plural(state.pending, 'mail')} waiting to be delivered`;
  return { what: 'Outbox', status: 'ok', words };
}

function channelFinding({ clock }: App, state: ChannelState): Finding {
  const what = `Channel ${state.name}`;
  const { pending, lastError, topics } = state;
  const [problem] = channelProblems([state], clock.now());
  if (problem !== undefined) return warningOf(what, problem);
  const why = lastError === null ? '' : ` Last error: ${lastError}`;
  return pending > 0
    ? { what, status: 'warning', words: `${plural(pending, 'notice')} waiting to be delivered.${why}` }
    : { what, status: 'ok', words: `receives ${topics.join(', ')}; nothing pending` };
}

function warningOf(what: string, problem: Problem): Finding {
  return { what, status: 'warning', words: forOperator(problem) };
}

/** Of these, `check` has a line of its own, from what it has looked at now. */
const LOOKED_AT: readonly ProblemKind[] = ['mail_refused', 'mail_late', 'channel_refused', 'channel_late', 'left_over'];
const LOOKED_AT_WITH_DOCKER: readonly ProblemKind[] = [
  ...(['backup_old', 'disk_nearly_full'] as const),
  ...(['certificate_near_end', 'certificate_not_loaded', 'certificate_not_seen'] as const),
];
const WHAT: Record<StoredCheck, string> = {
  ...{ docker: 'Containers', scheduler: 'Work', outbox: 'Outbox' },
  ...{ backups: 'Backup set', certificates: 'Certificate', channels: 'Channels' },
};

/** What `/health` knows from the database and `check` does not look at itself. `withDocker`: the containers could be read. */
export function storedFindings(app: App, withDocker: boolean): Finding[] {
  const timers = app.timers().map(({ name }): string => name);
  const isElsewhere = ({ kind, subject }: Problem): boolean =>
    LOOKED_AT.includes(kind) ||
    (withDocker && LOOKED_AT_WITH_DOCKER.includes(kind)) ||
    (kind === 'work_in_trouble' && timers.includes(subject ?? ''));
  return Object.entries(storedProblems(app)).flatMap(([name, read]) =>
    read()
      .filter((problem) => !isElsewhere(problem))
      .map((problem) => warningOf(WHAT[name as StoredCheck], problem)),
  );
}

/** Diun that was never heard is the commonest mistake, but no failure of this service: it may have had nothing to say. */
export function diunFinding(app: App): Finding {
  const what = 'Diun';
  const at = app.store.inbox.lastHeardAt();
  if (at !== null) return { what, status: 'ok', words: `last notification ${atTime(at, app.settings.timeZone)}` };
  // Not the public URL: what stands before diun-pilot hands on approvals, and need not hand on this.
  const endpoint = `endpoint http://diun-pilot:${app.settings.port}/webhooks/diun: replace diun-pilot with the host name under which Diun reaches it`;
  const words = `no notification yet: set notif.webhook in diun.yml (${endpoint}; method POST, header authorization), then try \`diun notif test\`. Without Diun, ignore this line: the reconcile schedule finds updates`;
  return { what, status: 'warning', words };
}

/** When the timers run next; what went wrong the last time is a note, since the next run tries again. */
export function timerFindings(app: App): Finding[] {
  const { timeZone } = app.settings;
  return app.timers().map(({ name, nextAt, last }): Finding => {
    const next = nextAt === null ? 'switched off' : `next ${atTime(nextAt, timeZone)}`;
    const before = last === null ? '' : `; last ${atTime(last.at, timeZone)}: ${last.outcome}`;
    return { what: `Timer ${name}`, status: (last?.trouble ?? null) === null ? 'ok' : 'warning', words: next + before };
  });
}

/** Containers that outlived their update: with the time of their removal, or what to do about one that was left over. */
export function keptFindings(app: App): Finding[] {
  const { store, settings } = app;
  const data = store.keptData.all().map((kept): Finding => {
    return { what: 'Kept data', status: 'ok', words: keptDataText(kept, atTime(kept.keepUntil, settings.timeZone)) };
  });
  const containers = store.keptContainers.all().map((kept): Finding => {
    const until = atTime(kept.keepUntil, app.settings.timeZone);
    const onPurpose = `${kept.name}: ${kept.reason} It is stopped, and is removed ${until}`;
    const words = kept.leftover ? leftOver(kept) : onPurpose;
    return { what: 'Kept container', status: kept.leftover ? 'warning' : 'ok', words };
  });
  return [...containers, ...data];
}

export function labelFindings(containers: readonly Container[]): Finding[] {
  return containers.flatMap(({ name, labels }) =>
    labels.problems.map(({ label, value, message }): Finding => ({
      what: 'Labels',
      status: 'failed',
      words: `${name}: ${label}=${value}: ${message}`,
    })),
  );
}

const MODE_FINDING: Finding = { what: 'Mode', status: 'warning', words: `${OBSERVES} ${HOW_TO_ACT}` };

function settingsFinding({ settings }: App): Finding {
  const { publicUrl, dataDir, timeZone, apiToken, webhookTokens, approvalSecrets } = settings;
  const words = `${publicUrl}, data in ${dataDir}, time zone ${timeZone}`;
  const secrets = {
    PILOT_API_TOKEN: [apiToken],
    PILOT_WEBHOOK_TOKEN: webhookTokens,
    PILOT_APPROVAL_SECRET: approvalSecrets,
  };
  const short = Object.entries(secrets).filter(([, all]) => all.some((one) => one.reveal().length < SHORTEST_TOKEN));
  if (short.length === 0) return { what: 'Settings', status: 'ok', words };
  const names = short.map(([name]) => name).join(', ');
  const advice = `${names} ${short.length === 1 ? 'is' : 'are'} short enough to be guessed: generate each with \`openssl rand -hex 32\``;
  return { what: 'Settings', status: 'warning', words: `${words}; ${advice}` };
}

function backupTarget({ settings: { backup }, storage }: App): string {
  if (backup.kind === 'restic') return storage.urlOf('').replace(/\/$/, '');
  return backup.kind === 'file' ? backup.directory : `s3://${[backup.bucket, backup.prefix].filter(Boolean).join('/')}`;
}

async function asked(app: App, what: string, ask: () => Promise<string>): Promise<Finding> {
  const [finding] = await within(app, what, 'failed', async () => [{ what, status: 'ok', words: await ask() }]);
  return finding as Finding;
}

/** What was found, or that it could not be found out, and why; nothing can keep `check` waiting for ever. */
export async function within(
  app: App,
  what: string,
  otherwise: 'warning' | 'failed',
  find: () => Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await withinTime({ clock: app.clock, ms: ANSWERS_WITHIN_MS }, find, () => {
      throw new Error(`no answer within ${ANSWERS_WITHIN_MS / 1000} s`);
    });
  } catch (error) {
    return [{ what, status: otherwise, words: messageOf(error) }];
  }
}
