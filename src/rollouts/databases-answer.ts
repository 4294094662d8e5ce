import { isServer, membersOf, placeOf } from '../domain/backups/backup';
import type { Container } from '../domain/container';
import { PilotError } from '../domain/errors';
import { serverAnswers } from '../restores/those-that-ran';
import { asReadNow, readServices } from '../services/read-targets';
import type { ServiceRun } from './rollout-run';

/** No step of the update runs yet that could show it. */
const SHOWN_NOWHERE = (): void => undefined;

/**
 * An engine that restarted runs the tasks of its services in new containers, and PostgreSQL answers only after its recovery. So the
 * databases of the set are waited for, each within the time of its probe, before a run reads or restores them. What does not answer
 * even then is for the run to meet and to report. Rejects only with `engine_unreachable`.
 */
export async function databasesAnswer(run: ServiceRun): Promise<void> {
  const { target } = run;
  if (target === null) return;
  const servers = membersOf(placeOf(target), await readServices(run, [])).filter(isServer);
  for (const server of servers) {
    if (server.id === target.id && !isUnchanged(run)) continue;
    const known = { name: server.name, readyWithinMs: server.labels.probeTimeoutMs };
    await serverAnswers(run, known, () => taskNow(run, server), SHOWN_NOWHERE);
  }
}

/** The updated service itself runs its old image on its own data; at any other stage the rollout says whether it works. */
function isUnchanged({ rollout: { stage } }: ServiceRun): boolean {
  return stage === 'preparing' || stage === 'restoring';
}

async function taskNow(run: ServiceRun, { id, name }: Container): Promise<Container> {
  const service = (await readServices(run, [])).find((each) => each.id === id);
  if (service === undefined) throw new PilotError('changed_meanwhile', `The service ${name} was removed externally.`);
  return asReadNow(run.engine, service);
}
