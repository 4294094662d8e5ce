import type { RequestHandler } from 'express';
import { noteInLog } from '../telemetry/access-log';
import { updateRequest, updatesQuery } from '../api/schemas';
import { findUpdate, jsonOf } from '../api/update-json';
import type { HttpDeps } from '../deps';
import { readJson } from '../request/read-body';
import type { Methods } from '../route';
import { validate, validateQuery } from '../request/validate';

type Deps = Pick<HttpDeps, 'store' | 'requestUpdate' | 'requestRehearsal'>;

export function updatesMethods(deps: Deps, guard: RequestHandler): Methods {
  const { store } = deps;
  const list: RequestHandler = (request, response) => {
    const page = store.updates.list(validateQuery(updatesQuery, request));
    response.json({ updates: page.updates.map((update) => jsonOf(store, update)), next: page.next });
  };

  const create: RequestHandler = async (request, response) => {
    const update = await deps.requestUpdate(validate(updateRequest, await readJson(request), 'body'));
    noteInLog(response, { update: update.id });
    response.status(202).location(`/updates/${update.id}`).json(jsonOf(store, update));
  };

  return { get: [guard, list], post: [guard, create] };
}

/** Asks for a rehearsal; one that is under way is the answer. */
export function rehearsalMethods({ store, requestRehearsal }: Deps, guard: RequestHandler): Methods {
  const create: RequestHandler = (request, response) => {
    const { id = '' } = request.params as { id?: string };
    requestRehearsal(id);
    noteInLog(response, { update: id });
    response
      .status(202)
      .location(`/updates/${id}`)
      .json(jsonOf(store, findUpdate(store, id)));
  };
  return { post: [guard, create] };
}
