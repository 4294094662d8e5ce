import { healthFailureOf, lastLines } from '../../containers/check-health';
import { insist } from '../../containers/insist';
import { containerOf, inspectByName, inspectIfThere } from '../../containers/read-containers';
import { renameTo, startJoining } from '../../containers/start-stop-remove';
import { pageUrl } from '../../decisions/approval-links';
import type { Deps } from '../../deps';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { messageOf, rethrowEngineLost } from '../../domain/errors';
import { formatBetween, formatTime, shortId } from '../../domain/format';
import { isLookDue, judgeSoak, lookEveryMs, type Soak } from '../../domain/soak/soak';
import { soakEnded } from '../../notifications/mails/soak';
import { postMail } from '../../notifications/post-mail';
import { offerOldVersion, schemaSinceUpdate } from './offer-old-version';
import { endSoak, NO_WAY_BACK, OLD_IS_GONE, startSoakRollback } from './soak-rollback';

/** Between two looks at a probe that fails, so that one bad moment does not count. */
const CONFIRM_AFTER_MS = 3_000;
const RARELY_MS = 10_000;

/**
 * Looks at each container in its soak whose time has come, and acts on what the operator chose. True: an update is to be rolled
 * back now. Rejects only with `engine_unreachable`.
 */
export async function watchSoaks(deps: Deps): Promise<boolean> {
  // An interrupted update is finished first: it may have stopped what others need, and either of two containers may have the name.
  if (deps.store.updates.withStatus('running').length > 0) return false;
  for (const soak of deps.store.soaks.open()) {
    try {
      if (await attend(deps, soak)) return true;
    } catch (error) {
      rethrowEngineLost(error);
      deps.logger.warn('a container could not be watched in its soak', {
        ...{ update: soak.updateId, container: soak.container, reason: messageOf(error) },
      });
      lookLater(deps, soak, RARELY_MS);
    }
  }
  return false;
}

async function attend(deps: Deps, soak: Soak): Promise<boolean> {
  const isDue = isLookDue(soak, deps.clock.now().toISOString());
  if (soak.status === 'ended' || (soak.status !== 'chosen' && !isDue)) return false;
  const bearer = await inspectByName(deps.engine, soak.container);
  if (bearer?.Id !== soak.containerId) {
    await endOfAnother(deps, soak, bearer);
    return false;
  }
  await noteIfOldIsGone(deps, soak);
  switch (soak.status) {
    case 'watching':
      return look(deps, soak, bearer);
    case 'deciding':
      return awaitDecision(deps, soak);
    case 'chosen':
      return rollBackAsChosen(deps, soak);
    case 'rolling_back':
      endSoak(deps, soak, 'The update that was rolled back has ended.');
      return false;
  }
}

async function look(deps: Deps, soak: Soak, bearer: ContainerInspect): Promise<boolean> {
  const sight = judgeSoak(bearer, soak.restarts);
  const isSure = sight.state !== 'stopped';
  const why = 'why' in sight ? sight.why : sight.state === 'runs' ? await probeFailure(deps, bearer) : null;
  if (why !== null) return handleSoakFailure(deps, soak, { why, isSure });
  if (deps.clock.now().toISOString() >= soak.until) {
    const stopped = 'Its soak ended. The container was stopped by an operator and does not run.';
    const how = sight.state === 'left' ? stopped : 'Its soak ended without a failure.';
    endSoak(deps, soak, `${how} The old container is removed.`);
    return false;
  }
  // A start by hand, or with the engine, counts from 0 again.
  if (bearer.RestartCount < soak.restarts) deps.store.soaks.change(soak.updateId, { restarts: bearer.RestartCount });
  lookLater(deps, soak, lookEveryMs(soak));
  return false;
}

/** Of its own probe; Docker has reported no fault. Null: it passes. */
async function probeFailure(deps: Deps, bearer: ContainerInspect): Promise<string | null> {
  const container = await containerOf(deps, bearer);
  if (container.labels.probe.kind === 'docker' || (await healthFailureOf(deps, container)) === null) return null;
  await deps.clock.sleep(CONFIRM_AFTER_MS);
  const failure = await healthFailureOf(deps, container);
  // Stopped or removed by a person meanwhile, as by `docker compose up -d`: the next look judges that.
  const now = await inspectIfThere(deps.engine, bearer.Id);
  return now !== null && judgeSoak(now, now.RestartCount).state === 'runs' ? (failure?.detail ?? null) : null;
}

/** Data is never changed back without a person, and what may have been stopped on request is left to the operator, too. */
async function handleSoakFailure(
  deps: Deps,
  soak: Soak,
  { why, isSure }: { why: string; isSure: boolean },
): Promise<boolean> {
  const at = deps.clock.now().toISOString();
  const after = formatBetween(soak.startedAt, at) ?? 'soon';
  const sentence = `${soak.container} failed ${after} after its update, during its soak: ${why}.`;
  deps.logger.error('a container failed during its soak', {
    ...{ update: soak.updateId, container: soak.container, reason: why, holdsData: soak.holdsData },
  });
  const message = `${sentence}${await lastLines(deps, soak.containerId)}`;
  if (isSure && !soak.holdsData) {
    await startSoakRollback(deps, soak, { message, at, data: null });
    return true;
  }
  await offerOldVersion(deps, soak, { message, at });
  return false;
}

function awaitDecision(deps: Deps, soak: Soak): boolean {
  const now = deps.clock.now().toISOString();
  if (soak.decideUntil === null || now < soak.decideUntil) {
    lookLater(deps, soak, RARELY_MS);
    return false;
  }
  const until = formatTime(soak.decideUntil, deps.timeZone);
  endSoak(
    deps,
    soak,
    `No decision on its failure until ${until}: the new version stays, and the old container is removed.`,
  );
  return false;
}

/** The schema may have changed since the page was shown: then the old version is not started on it without another question. */
async function rollBackAsChosen(deps: Deps, soak: Soak): Promise<boolean> {
  const message = soak.failure ?? `${soak.container} failed during its soak.`;
  const at = soak.failedAt ?? deps.clock.now().toISOString();
  if (soak.choice === 'current' && soak.schema === 'unchanged') {
    const now = await schemaSinceUpdate(deps, soak);
    if (now.schema === 'changed') {
      await offerOldVersion(deps, soak, { message, at });
      return false;
    }
  }
  await startSoakRollback(deps, soak, { message, at, data: soak.choice });
  return true;
}

/** What the operator removed is no longer listed as kept, and neither page nor mail offers it. */
async function noteIfOldIsGone({ engine, store, logger }: Deps, soak: Soak): Promise<void> {
  const { updateId, container, oldContainerId } = soak;
  const update = store.updates.get(updateId);
  if (update === null || update.reason.includes(OLD_IS_GONE)) return;
  if ((await inspectIfThere(engine, oldContainerId)) !== null) return;
  store.transaction(() => {
    store.keptContainers.remove(oldContainerId);
    store.updates.change(updateId, { reason: `${update.reason} ${OLD_IS_GONE}` });
  });
  logger.warn('the old container of a soak was removed externally', { update: updateId, container });
}

async function endOfAnother(deps: Deps, soak: Soak, bearer: ContainerInspect | null): Promise<void> {
  const { container } = soak;
  if (bearer === null) {
    if (await finishCompose(deps, soak)) return;
    if ((await inspectByName(deps.engine, container)) !== null) return lookLater(deps, soak, 0);
    const words = `${container} was removed or renamed externally, so its soak ended.`;
    return endSoak(deps, soak, words, 'keep');
  }
  endSoak(deps, soak, `Another container now has the name ${container} (${shortId(bearer.Id)}). ${NO_WAY_BACK}`);
}

function lookLater({ store, clock }: Deps, { updateId }: Soak, ms: number): void {
  store.soaks.change(updateId, { lookAt: new Date(clock.now().getTime() + ms).toISOString() });
}

/** Longer than Compose takes between two of its calls. */
const STILL_SO_AFTER_MS = 3_000;

/**
 * `docker compose up -d` sees two containers of one service in a soak. Compose 2.26 removes the new one, makes another in place
 * of the old one as `ID_NAME`, and fails to give it the name, since it does both at once (measured): then nothing serves. What
 * it has made is started and given the name. That ends the soak, and a mail says so: the old version is gone. False: Compose left
 * nothing. May be done again after a crash between two calls.
 */
async function finishCompose(deps: Deps, soak: Soak): Promise<boolean> {
  const { container: name, updateId } = soak;
  const left = await leftByCompose(deps, name);
  if (left === null) return false;
  await deps.clock.sleep(STILL_SO_AFTER_MS);
  if ((await inspectByName(deps.engine, name)) !== null || (await leftByCompose(deps, name)) !== left) return false;
  const trouble = await whyNotStarted(deps, left);
  await renameTo(deps.engine, left, name);
  const did = `diun-pilot gave the container ${shortId(left)} its name`;
  const so = trouble === null ? `${did} and started it.` : `${did}. It does not start: ${trouble}`;
  const words = `docker compose up -d re-created ${name} during its soak and did not finish: ${so}`;
  deps.logger.warn('a container that Compose left without its name has it', {
    update: updateId,
    container: name,
    trouble,
  });
  deps.store.transaction(() => {
    endSoak(deps, soak, `${words} ${NO_WAY_BACK}`);
    const update = deps.store.updates.get(updateId);
    if (update === null) return;
    const backup = update.backupId === null ? null : deps.store.backups.get(update.backupId);
    const news = { update, backup, page: pageUrl(deps, update) };
    postMail(deps.store.outbox, soakEnded({ ...news, words, runs: trouble === null }));
  });
  return true;
}

/** Compose's own name for a container that it is about to put in place of another. */
async function leftByCompose({ engine }: Pick<Deps, 'engine'>, name: string): Promise<string | null> {
  const found = (await engine.containers()).find(
    (listed) => listed.name?.endsWith(`_${name}`) === true && /^[0-9a-f]{12}_/.test(listed.name),
  );
  return found?.id ?? null;
}

/** Null: it runs. */
async function whyNotStarted(deps: Deps, id: string): Promise<string | null> {
  try {
    await insist(deps, 'the start of a container that Compose left', () => startJoining(deps, id));
    return null;
  } catch (error) {
    rethrowEngineLost(error);
    return messageOf(error);
  }
}
