import { decideById } from '../../src/decisions/approve';
import { requestUpdate } from '../../src/decisions/request-update';
import { decideSoakLink, soakUrl } from '../../src/decisions/soak-link';
import { PilotError } from '../../src/domain/errors';
import type { Scene } from '../support/scene';
import type { Quiet, SoakAnswer, World } from './world';

export type OperatorAct = Extract<Quiet, { kind: 'decide' | 'request' | 'soak' }>;

/** What the operator does by page, link and command line. Resolves with the answer where it is one to be noted. */
export async function operate(scene: Scene, { services }: World, act: OperatorAct): Promise<string | null> {
  const { deps, store } = scene;
  try {
    if (act.kind === 'soak') return answerSoak(scene, act);
    if (act.kind === 'request') {
      const name = services[act.service]?.spec.name;
      if (name !== undefined) await requestUpdate(deps, { container: name });
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

/** By the link of the mail, with the name of the container typed. */
function answerSoak({ deps, store }: Scene, { decision, data }: SoakAnswer): string | null {
  const soak = store.soaks.open().find(({ status }) => status === 'deciding');
  if (soak === undefined) return null;
  const token = soakUrl(deps, soak).split('/').at(-1) ?? '';
  const answer = { decision, data: data === 'first' ? null : data, name: soak.container };
  return decideSoakLink(deps, token, answer)?.outcome ?? 'no such link';
}
