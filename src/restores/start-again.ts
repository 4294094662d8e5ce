import { healthOfContainer } from '../containers/check-health';
import { startArmed } from '../containers/restart-policy';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { RestoreRun } from './restore-run';

/**
 * Starts those that were stopped, in order, and asks the health of each that was well before or whose files were
 * restored. Resolves with what was seen; rejects with `unhealthy` and all that is wrong, when all have been started.
 */
export async function startAgain(run: RestoreRun): Promise<string> {
  const troubles: string[] = [];
  const seen: string[] = [];
  for (const { id, name, well } of run.journal.stopped) {
    try {
      run.onProgress(`starting ${name}`);
      await startArmed(run, id);
      if (well) seen.push(`${name}: ${await healthOfContainer(run, id, name, run.onProgress)}`);
    } catch (error) {
      if (codeOf(error) === 'engine_unreachable') throw error;
      troubles.push(codeOf(error) === 'unhealthy' ? messageOf(error) : `${name} does not start: ${messageOf(error)}`);
    }
  }
  if (troubles.length > 0) throw new PilotError('unhealthy', troubles.join('\n'));
  return seen.length === 0 ? 'No container had to be started.' : `Started again and healthy: ${seen.join('; ')}.`;
}
