import type { RequestHandler } from 'express';
import type { LoginCount } from '../access/login-count';
import { auditQuery, type AuditJson } from '../api/schemas';
import type { HttpDeps } from '../deps';
import { validateQuery } from '../request/validate';
import type { Methods } from '../route';

/** `GET /audit`: newest first. Failed logins up to now are in it. */
export function auditMethods({ store }: Pick<HttpDeps, 'store'>, logins: LoginCount, guard: RequestHandler): Methods {
  const list: RequestHandler = (request, response) => {
    const { limit, cursor } = validateQuery(auditQuery, request);
    logins.flush();
    const { entries, next } = store.audit.list({ limit, ...(cursor === undefined ? {} : { cursor: Number(cursor) }) });
    const answer: AuditJson = { entries, next: next === null ? null : String(next) };
    response.json(answer);
  };
  return { get: [guard, list] };
}
