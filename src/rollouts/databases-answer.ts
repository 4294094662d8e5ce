import { isServer, membersOf, placeOf } from '../domain/backups/backup-place';
import type { Container } from '../domain/container';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { psqlOf } from '../restores/databases/psql';
import { asReadNow, readServices } from '../services/read-targets';
import type { ServiceRun } from './rollout-run';

const ASK_EVERY_MS = 500;

/**
 * An engine that restarted runs the tasks of its services in new containers, and PostgreSQL answers only after its recovery. So the
 * databases of the set are waited for, each within the time of its probe, before a run reads or restores them. What does not answer
 * even then is for the run to meet and to report. Rejects only with `engine_unreachable`.
 */
export async function databasesAnswer(run: ServiceRun): Promise<void> {
  const { target } = run;
  if (target === null) return;
  const servers = membersOf(placeOf(target), await readServices(run, [])).filter(isServer);
  for (const server of servers) if (server.id !== target.id || isUnchanged(run)) await answers(run, server);
}

/** The updated service itself runs its old image on its own data; at any other stage the rollout says whether it works. */
function isUnchanged({ rollout: { stage } }: ServiceRun): boolean {
  return stage === 'preparing' || stage === 'restoring';
}

async function answers(run: ServiceRun, server: Container): Promise<void> {
  for (let waited = 0; ; waited += ASK_EVERY_MS) {
    const reason = await whyNoAnswer(run, server);
    if (reason === null) return;
    if (waited >= server.labels.probeTimeoutMs) {
      run.logger.warn('a database service does not answer', { service: server.name, reason });
      return;
    }
    await run.clock.sleep(ASK_EVERY_MS);
  }
}

async function whyNoAnswer(run: ServiceRun, { id, name }: Container): Promise<string | null> {
  try {
    const service = (await readServices(run, [])).find((each) => each.id === id);
    if (service === undefined) return `${name} was removed externally.`;
    await (await psqlOf(run.engine, await asReadNow(run.engine, service))).list('SELECT 1');
    return null;
  } catch (error) {
    rethrowEngineLost(error);
    return messageOf(error);
  }
}
