import { requestBackups } from '../../src/backups/backup-queue';
import { readContainers } from '../../src/containers/read-containers';
import { decideById } from '../../src/decisions/approve';
import {
  decideRestoreLink,
  decideSoakLink,
  readRestoreLink,
  restoreUrl,
  soakUrl,
  trustOfSet,
} from '../../src/decisions/recovery-links';
import { requestUpdate } from '../../src/decisions/request-update';
import { PilotError } from '../../src/domain/errors';
import { planOfRestore, requestRestore } from '../../src/restores/restore-queue';
import type { Scene } from '../support/scene';
import type { OperatorAct, SoakAnswer, World } from './world';

/** What the operator does by page, link and command line. Resolves with the answer where it is one to be noted. */
export async function operate(scene: Scene, { services }: World, act: OperatorAct): Promise<string | null> {
  const { deps, store } = scene;
  try {
    if (act.kind === 'soak') return answerSoak(scene, act);
    if (act.kind === 'restore') return await (act.by === 'link' ? restoreByLink(scene) : restoreByCommand(scene));
    if (act.kind === 'backup') {
      requestBackups({ store, containers: await readContainers(deps.engine, null) }, { reason: 'operator' });
      return null;
    }
    if (act.kind === 'request') {
      const name = services[act.service]?.spec.name;
      const image = act.tag === undefined ? {} : { image: act.tag };
      if (name !== undefined) await requestUpdate(deps, { container: name, ...image });
    } else {
      const waiting = store.updates.withStatus('awaiting_approval')[0];
      if (waiting) await decideById(deps, waiting.id, act.decision, 'api');
    }
    return null;
  } catch (error) {
    if (!(error instanceof PilotError)) throw error;
    return error.code;
  }
}

async function restoreByCommand({ deps, store }: Scene): Promise<null> {
  requestRestore(store, await planOfRestore(deps, { backup: 'latest' }), {});
  return null;
}

/** By that of the newest mail about a failed rollback, with the name of the container typed. */
async function restoreByLink(scene: Scene): Promise<string | null> {
  const { deps, store } = scene;
  const update = scene.updates().findLast(({ status }) => status === 'rollback_failed');
  const backup = store.backups.get(update?.backupId ?? '');
  const url = update === undefined ? null : restoreUrl(deps, update, backup, true);
  const token = url?.split('/').at(-1) ?? '';
  const view = readRestoreLink(deps, token);
  if (view === null) return null;
  const trust = await trustOfSet(deps, view);
  const name = view.update.container;
  return decideRestoreLink(deps, token, { decision: 'approve', name, trust, seenManifest: null })?.outcome ?? null;
}

/** By the link of the mail, with the name of the container typed. */
function answerSoak({ deps, store }: Scene, { decision, data }: SoakAnswer): string | null {
  const soak = store.soaks.open().find(({ status }) => status === 'deciding');
  if (soak === undefined) return null;
  const token = soakUrl(deps, soak).split('/').at(-1) ?? '';
  const answer = { decision, data: data === 'first' ? null : data, name: soak.container };
  return decideSoakLink(deps, token, answer)?.outcome ?? 'no such link';
}
