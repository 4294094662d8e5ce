import { PilotError } from '../domain/errors';
import { rolloutText } from '../domain/services/plan-rollout';
import { see, type ServiceRun } from './rollout-run';

/** Another rollout must not be under way or paused: its end could not be distinguished from that of this update. */
export async function preflightService(run: ServiceRun): Promise<string> {
  const { service } = await see(run);
  const { State, Message = '' } = service.UpdateStatus ?? {};
  const { name } = run.rollout;
  if (State === 'updating' || State === 'rollback_started')
    throw blocked(
      `Swarm is already rolling out ${name} (${Message}). Request the update again when the rollout is finished.`,
    );
  if (State === 'paused' || State === 'rollback_paused')
    throw blocked(
      `The last rollout of ${name} is paused: ${Message}. Finish it first: docker service rollback ${name}, or docker service update --force ${name}.`,
    );
  return `no other rollout of ${name} is under way; ${rolloutText(service.Spec)}`;
}

function blocked(message: string): PilotError {
  return new PilotError('preflight_blocked', message);
}
