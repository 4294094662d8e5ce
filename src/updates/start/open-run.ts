import { healthFailureOf } from '../../containers/check-health';
import { insist } from '../../containers/insist';
import { containerOf, inspectByName } from '../../containers/read-containers';
import { ownPolicy } from '../../containers/restart-policy';
import type { Deps } from '../../deps';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { firstJournal } from '../../domain/journal';
import type { Update } from '../../domain/update';
import { beginUpdate, judgeStart } from './judge-start';
import { finishUnstarted, type Unstarted } from '../finish';
import { resumeRun } from './resume-run';
import type { Run } from '../run';

/**
 * Takes up an update: for the first time, by looking again at what the decision saw; or after a crash, by the journal.
 * `ended`: nothing runs now: the update has its end, or waits for the registry or for approval.
 */
export async function openRun(deps: Deps, update: Update): Promise<Run | { ended: Update }> {
  const journal = deps.store.updates.journal(update.id);
  if (journal === null) return startRun(deps, update);
  const active = { ...deps, update, journal };
  return insist(active, `the interrupted update ${update.id}`, () => resumeRun(active));
}

async function startRun(deps: Deps, update: Update): Promise<Run | { ended: Update }> {
  const old = withOwnPolicy(deps, await inspectByName(deps.engine, update.container ?? ''));
  if (old === null) return { ended: finishUnstarted(deps, update, noContainer(update)) };
  const container = await containerOf(deps, old);
  const ended = await judgeStart(deps, update, container);
  if (ended !== null) return { ended };
  const unhealthy = await healthFailureOf(deps, container);
  const started = beginUpdate(deps, update);
  const journal = firstJournal(update, old, unhealthy);
  deps.store.updates.saveJournal(update.id, journal);
  return { ...deps, update: started, old, container, journal };
}

/** An earlier run that was aborted may have left it disarmed: its replacement has the policy of the operator. */
function withOwnPolicy(deps: Deps, old: ContainerInspect | null): ContainerInspect | null {
  if (old === null) return null;
  return { ...old, HostConfig: { ...old.HostConfig, RestartPolicy: ownPolicy(deps, old) } };
}

function noContainer({ container }: Update): Unstarted {
  return { status: 'failed', code: 'container_not_found', reason: `The container ${container} no longer exists.` };
}
