import { codeOf, messageOf, PilotError } from '../../domain/errors';
import type { ActiveUpdate } from '../run';
import { checkpoint } from '../run';

/** Writes down that a neighbour is restarted or reloaded, before the act: a crash, or a rollback, then does it again. */
export function touch(run: ActiveUpdate, id: string): void {
  const { neighbourhood, stage } = run.journal;
  if (neighbourhood === undefined) return;
  const neighbours = neighbourhood.neighbours.map((each) =>
    each.id === id ? { ...each, touched: true as const } : each,
  );
  checkpoint(run, stage, { neighbourhood: { ...neighbourhood, neighbours } });
}

/** An act on a container that the engine refused leaves it as a failed health check does. */
export async function refusedIsUnhealthy<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    if (codeOf(error) !== 'engine_refused') throw error;
    throw new PilotError('unhealthy', `It could not be restarted: ${messageOf(error)}`, { cause: error });
  }
}
