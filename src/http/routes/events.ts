import type { RequestHandler } from 'express';
import { PilotError } from '../../domain/errors';
import { noteInLog } from '../telemetry/access-log';
import { findUpdate, jsonOf } from '../api/update-json';
import type { HttpDeps } from '../deps';
import type { Methods } from '../route';
import type { Streams } from '../streams';

type Deps = Pick<HttpDeps, 'store' | 'approvals'>;

/** `/updates/:id/events`, for who has the token. */
export function updateEventsMethods({ store }: Deps, streams: Streams, guard: RequestHandler): Methods {
  const follow: RequestHandler = async (request, response) => {
    const { id } = findUpdate(store, String(request.params.id));
    noteInLog(response, { update: id });
    await streams.follow(request, response, () => jsonOf(store, findUpdate(store, id)));
  };
  return { get: [guard, follow] };
}

/** `/approvals/:token/events`: the one update that the link speaks of. */
export function approvalEventsMethods({ store, approvals }: Deps, streams: Streams): Methods {
  const follow: RequestHandler = async (request, response) => {
    const view = approvals.read(String(request.params.token));
    if (view.kind === 'unknown') throw new PilotError('not_found', 'This link opens nothing: copy the whole of it.');
    const { id } = view.update;
    noteInLog(response, { update: id });
    await streams.follow(request, response, () => jsonOf(store, findUpdate(store, id)));
  };
  return { get: [follow] };
}
