import type { RequestHandler } from 'express';
import { surroundingsOf } from '../../decisions/approval-links';
import { type Container, otherPilots } from '../../domain/container';
import { ERROR_CODES, type ErrorCode } from '../../domain/errors';
import { suggestionsFor } from '../../domain/labels/suggest-labels';
import { removeDataCommand } from '../../domain/recreate/carry-over';
import { systemClock } from '../../lib/clock';
import { nextTurn, withinTime } from '../../lib/promises';
import type { Update } from '../../domain/update';
import type { KeptDataDirectory } from '../../ports/stopped-containers';
import { restoredSince } from '../../backups/since-update';
import type { OutboxMail, Store } from '../../ports/store';
import { formToken } from '../access/form-token';
import { historyQuery } from '../api/schemas';
import type { HttpDeps } from '../deps';
import type { AskHealth } from '../health/health';
import type { Action } from '../pages/operator/action-form';
import type { HistoryFilter, OperatorData, Outcome, Seen } from '../pages/operator/operator-data';
import { operatorPage } from '../pages/operator/operator-page';
import { sendPage } from '../pages/send-page';
import { pageFirst } from '../request/negotiate';
import { validateQuery } from '../request/read-body';
import type { Methods } from '../route';
import { channelStates } from '../../diagnosis/problems';

/** `GET /`: reads only. */
export function operatorMethods(deps: HttpDeps, askHealth: AskHealth, guard: RequestHandler): Methods {
  const show: RequestHandler = async (request, response) => {
    const { done, problem, ...filter } = validateQuery(historyQuery, request);
    const data = await readOperatorData(deps, askHealth, filter, outcomeShown(done, problem));
    await nextTurn();
    sendPage(response, 200, operatorPage(data));
  };
  return { get: [pageFirst, guard, show] };
}

/** What came of a button: what it says, or what a request of an update came to instead. */
export type Done = Action | 'asks' | 'ignored';

const DONE: Record<Done, string> = {
  approve: 'Approved: it starts as soon as nothing else runs.',
  window: 'Approved: it starts in the next update window.',
  'start-now': 'It starts as soon as nothing else runs.',
  decline: 'Declined: the container stays as it is, and this version is not offered again.',
  backup: 'The backup is queued: it starts as soon as nothing else runs.',
  renew: 'The renewal is queued: it starts as soon as nothing else runs.',
  rehearse: 'The rehearsal is queued: it starts as soon as nothing else runs.',
  retry: 'The update is retried: it starts as soon as nothing else runs.',
  asks: 'The version waits for approval. The plan has the reason.',
  ignored: 'There is nothing to do. The history has the reason.',
};

/** Only our own text: the address has a code, and an unknown code shows nothing. */
function outcomeShown(done = '', problem = ''): Outcome | null {
  if (Object.hasOwn(DONE, done)) return { tone: 'good', words: DONE[done as Done] };
  if (!Object.hasOwn(ERROR_CODES, problem)) return null;
  return { tone: 'alarm', words: `Nothing was done. ${ERROR_CODES[problem as ErrorCode]} (${problem}).` };
}

/** The page comes within this time, whatever the engine does. */
const ENGINE_ANSWERS_WITHIN_MS = 2_000;
const HISTORY_AT_ONCE = 10;
const BACKUPS_AT_ONCE = 20;
const RESTORES_AT_ONCE = 10;
const RENEWALS_AT_ONCE = 10;
const REJECTED_AT_ONCE = 10;
const INCIDENTS_AT_ONCE = 10;
const PAST_UPDATES_AT_ONCE = 40;
const PAST_BACKUPS_AT_ONCE = 120;
const LOOK_BACK = 200;

/** From the store, which is always there, and from the engine as far as it answers. */
async function readOperatorData(
  deps: HttpDeps,
  askHealth: AskHealth,
  filter: HistoryFilter,
  message: Outcome | null,
): Promise<OperatorData> {
  const { clock, formSecret } = deps;
  const [health, all] = await Promise.all([askHealth(), allContainers(deps)]);
  await nextTurn();
  const containers = all && watchedOf(deps, all);
  await nextTurn();
  const now = clock.now();
  return {
    now,
    mode: deps.mode,
    publicUrl: deps.publicUrl,
    health,
    message,
    containers,
    notWatched: suggestionsFor((all ?? []).filter(({ swarm }) => swarm === undefined)),
    otherPilots: otherPilots(all ?? []),
    history: { filter, ...deps.store.updates.list({ ...filter, limit: HISTORY_AT_ONCE }) },
    ...recordsIn(deps.store),
    channels: channelStates(deps),
    timers: deps.timers(),
    tokenFor: (action, id) => formToken(formSecret, action, id, now),
  };
}

/** As much of each kind as a page has room for. */
function recordsIn(store: Store) {
  return {
    // The disk is in the first lines of this page.
    waiting: store.updates.withStatus('awaiting_approval').map((update) => ({
      update,
      plan: store.updates.plan(update.id),
      surroundings: { ...surroundingsOf(store, update), disk: null },
    })),
    pastUpdates: store.updates.past({ limit: PAST_UPDATES_AT_ONCE }),
    pastBackups: store.backups.past(PAST_BACKUPS_AT_ONCE),
    working: [...store.updates.withStatus('running'), ...store.updates.withStatus('queued')],
    backups: store.backups.list(BACKUPS_AT_ONCE),
    restores: store.restores.list(RESTORES_AT_ONCE),
    certificates: store.certificates.list(),
    renewals: store.renewals.list(RENEWALS_AT_ONCE),
    refusals: store.refusals.all(),
    undelivered: store.outbox.recent(LOOK_BACK).filter(isUndelivered),
    lastHeardAt: store.inbox.lastHeardAt(),
    rejected: store.inbox
      .recent(LOOK_BACK)
      .filter(({ status }) => status === 'rejected')
      .slice(0, REJECTED_AT_ONCE),
    lost: store.notices.all().filter(({ kind }) => kind === 'network_lost'),
    kept: [...store.keptContainers.all(), ...store.keptData.all().map(asKept)],
    incidents: store.incidents.recent(INCIDENTS_AT_ONCE),
  } satisfies Partial<OperatorData>;
}

/** Neither one that is held nor one that waits for the digest: both wait on purpose. */
function isUndelivered({ status, attempts }: OutboxMail): boolean {
  return status === 'refused' || (status === 'pending' && attempts > 0);
}

/** A data directory as a line of the list of kept containers. */
function asKept(kept: KeptDataDirectory): OperatorData['kept'][number] {
  const { container, what, directory, folder, updateId, keepUntil } = kept;
  const reason = `It is ${what}, in the volume of ${container}. Remove it earlier: ${removeDataCommand(kept)}`;
  const name = `${container}: ${directory}/${folder}`;
  return { containerId: '', container, name, updateId, reason, leftover: false, keepUntil };
}

/** Services of a Swarm, too. */
function allContainers(deps: HttpDeps): Promise<Container[] | null> {
  const read = async (): Promise<Container[]> => {
    const [containers, { services }] = await Promise.all([deps.containers(), deps.swarm()]);
    return [...containers, ...services];
  };
  // The bound is real time, also when the app's clock is held.
  return withinTime({ clock: systemClock, ms: ENGINE_ANSWERS_WITHIN_MS }, read, () => null).catch((error: unknown) => {
    deps.logger.warn('the operator page was shown without the containers', { error: String(error) });
    return null;
  });
}

/** By a restore of its data, requested by its link or by the command. */
function isRepaired(store: Store, update: Update): boolean {
  if (update.status !== 'rollback_failed') return true;
  return restoredSince(store, update, store.backups.of(update))?.status === 'succeeded';
}

function watchedOf({ store }: HttpDeps, all: readonly Container[]): Seen[] {
  const watched = all.filter(({ labels }) => labels.watched || labels.problems.length > 0);
  const names = watched.map(({ name }) => name);
  const latest = store.updates.latestOf(names);
  const lastReplaced = store.updates.lastReplacedOf(names);
  const brokenBy = (update: Update | undefined): Update | null =>
    update === undefined || isRepaired(store, update) ? null : update;
  return watched
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((container) => ({
      container,
      latest: latest.get(container.name) ?? null,
      brokenBy: brokenBy(lastReplaced.get(container.name)),
    }));
}
