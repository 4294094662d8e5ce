import type { IncomingMessage } from 'node:http';
import { BOUNDS } from '../../../domain/bounds';
import { linesWithin } from '../../../lib/streams/read-within';
import type { ContainerAction, ContainerEvent } from '../../../ports/engine';
import { toEngineError } from '../engine-errors';
import type { Wire } from '../wire';

/** What is read of a line of `GET /events` (docs.docker.com/reference/api/engine, SystemEvents). */
interface Message {
  Action: string;
  Actor: { ID: string };
}

export async function containerEvents(
  wire: Wire,
  actions: readonly ContainerAction[],
  signal: AbortSignal,
): Promise<AsyncIterable<ContainerEvent>> {
  const filters = JSON.stringify({ type: ['container'], event: actions });
  return read(await wire.stream({ method: 'GET', path: '/events', query: { filters }, signal }), signal);
}

async function* read(answer: IncomingMessage, signal: AbortSignal): AsyncGenerator<ContainerEvent, never> {
  try {
    for await (const { Action, Actor } of messages(answer)) {
      yield { action: Action as ContainerAction, containerId: Actor.ID };
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : toEngineError(error);
  } finally {
    answer.destroy();
  }
  throw signal.aborted ? signal.reason : toEngineError(new Error('the engine ended its events'));
}

async function* messages(answer: IncomingMessage): AsyncGenerator<Message> {
  for await (const line of linesWithin(answer, BOUNDS.engineLine.bytes)) {
    if (line.trim() !== '') yield JSON.parse(line) as Message;
  }
}
