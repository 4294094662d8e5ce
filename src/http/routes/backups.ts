import type { RequestHandler } from 'express';
import { backupRequest, backupsQuery, type BackupJson } from '../api/schemas';
import type { HttpDeps } from '../deps';
import { readJson } from '../request/read-body';
import type { Methods } from '../route';
import { validate, validateQuery } from '../request/validate';

export function backupsMethods(deps: Pick<HttpDeps, 'store' | 'requestBackups'>, guard: RequestHandler): Methods {
  const list: RequestHandler = (request, response) => {
    const { limit } = validateQuery(backupsQuery, request);
    const backups: BackupJson[] = deps.store.backups.list(limit);
    response.json({ backups });
  };

  /** Without a body: every project that has something to back up. */
  const create: RequestHandler = async (request, response) => {
    const body = (await readJson(request)) ?? {};
    const backups: BackupJson[] = await deps.requestBackups(validate(backupRequest, body, 'body'));
    response.status(202).json({ backups });
  };

  return { get: [guard, list], post: [guard, create] };
}
