import { pageUrl } from '../../decisions/approval-links';
import { insist } from '../../containers/insist';
import { inspectByName } from '../../containers/read-containers';
import { renameTo, startJoining } from '../../containers/start-rename-remove';
import type { Deps } from '../../deps';
import { messageOf, rethrowEngineLost } from '../../domain/errors';
import type { Soak } from '../../domain/soak/soak';
import { soakEnded } from '../../notifications/mails/soak-failed';
import { postMail } from '../../notifications/post-mail';
import { endSoak, NO_WAY_BACK } from './soak-rollback';
import { shortId } from '../../domain/format';

/** Longer than Compose takes between two of its calls. */
const STILL_SO_AFTER_MS = 3_000;

/**
 * `docker compose up -d` sees two containers of one service in a soak. Compose 2.26 removes the new one, makes another in place
 * of the old one as `ID_NAME`, and fails to give it the name, since it does both at once (measured): then nothing serves. What
 * it has made is started and given the name. That ends the soak, and a mail says so: the old version is gone. False: Compose left
 * nothing. May be done again after a crash between two calls.
 */
export async function finishCompose(deps: Deps, soak: Soak): Promise<boolean> {
  const { container: name, updateId } = soak;
  const left = await leftBy(deps, name);
  if (left === null) return false;
  await deps.clock.sleep(STILL_SO_AFTER_MS);
  if ((await inspectByName(deps.engine, name)) !== null || (await leftBy(deps, name)) !== left) return false;
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
    const news = { update, plan: null, backup, page: pageUrl(deps, update) };
    postMail(deps.store.outbox, soakEnded({ ...news, words, runs: trouble === null }));
  });
  return true;
}

/** Compose's own name for a container that it is about to put in place of another. */
async function leftBy({ engine }: Pick<Deps, 'engine'>, name: string): Promise<string | null> {
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
