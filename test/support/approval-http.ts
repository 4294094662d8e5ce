import { decideApproval, decideById } from '../../src/decisions/approve';
import { approvalUrl, readApproval, readViewLink } from '../../src/decisions/approval-links';
import type { Update } from '../../src/domain/update';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { readContainers } from '../../src/containers/read-containers';
import { requestUpdate } from '../../src/decisions/request-update';
import { startHttp, type RunningHttp } from './http-app';
import type { Scene } from './scene';

/** HTTP in front of a scene: the real use cases, store and decisions, on the fake engine. */
export function startHttpOn(scene: Scene): Promise<RunningHttp> {
  const { deps } = scene;
  return startHttp({
    mode: deps.mode,
    store: scene.store,
    clock: scene.clock,
    logger: deps.logger,
    containers: () => readContainers(deps.engine, deps.selfId),
    requestUpdate: (request) => requestUpdate(deps, request),
    approvals: {
      read: (token) => readApproval(deps, token),
      decide: (token, answer) => decideApproval(deps, token, answer),
      decideById: (id, decision, by) => decideById(deps, id, decision, by),
    },
    viewLinks: { read: (token) => readViewLink(deps, token) },
  });
}

/** Diun reports a new digest of `image`, and it is offered: the update that waits, and the path of its link. */
export async function offerOn(scene: Scene, image: string): Promise<{ update: Update; link: string }> {
  scene.hear(`docker.io/library/${image}`, scene.engine.publish(image).digest);
  await handleInbox(scene.deps);
  const update = scene.updates().findLast(({ status }) => status === 'awaiting_approval');
  if (update === undefined) throw new Error(`nothing of ${image} waits: ${JSON.stringify(scene.updates())}`);
  return { update, link: linkOn(scene, update) };
}

export function linkOn({ deps }: Scene, update: Update): string {
  return new URL(approvalUrl(deps, update)).pathname;
}
