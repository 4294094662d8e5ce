import type { Request, RequestHandler } from 'express';
import { PilotError } from '../../domain/errors';
import type { Update } from '../../domain/update';
import { noteInLog } from '../access-log';
import type { HttpDeps } from '../deps';
import { readJson } from '../read-body';
import type { Methods } from '../route';
import { updateRequest, updatesQuery, type UpdateJson } from '../schemas';
import { toJson } from '../update-json';
import { validate } from '../validate';

type Deps = Pick<HttpDeps, 'store' | 'requestUpdate'>;

export function updatesMethods(deps: Deps, guard: RequestHandler): Methods {
  const { store } = deps;
  const list: RequestHandler = (request, response) => {
    const page = store.updates.list(validate(updatesQuery, request.query, 'query'));
    response.json({ updates: page.updates.map((update) => withBackup(store, update)), next: page.next });
  };

  const create: RequestHandler = async (request, response) => {
    const update = await deps.requestUpdate(validate(updateRequest, await readJson(request), 'body'));
    noteInLog(response, { update: update.id });
    response.status(202).location(`/updates/${update.id}`).json(withBackup(store, update));
  };

  return { get: [guard, list], post: [guard, create] };
}

export function updateMethods({ store }: Pick<HttpDeps, 'store'>, guard: RequestHandler): Methods {
  const one: RequestHandler = (request: Request, response) => {
    const update = store.updates.get(String(request.params.id));
    if (update === null) {
      throw new PilotError('update_not_found', 'No update has this id: GET /updates lists them.');
    }
    noteInLog(response, { update: update.id });
    response.json(withBackup(store, update));
  };
  return { get: [guard, one] };
}

function withBackup(store: HttpDeps['store'], update: Update): UpdateJson {
  return toJson(update, update.backupId === null ? null : store.backups.get(update.backupId));
}
