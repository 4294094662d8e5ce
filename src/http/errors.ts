import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { PilotError, messageOf, type ErrorCode } from '../domain/errors';
import { newId } from '../lib/id';
import { unknownLink } from './access/known-links';
import { routeOf } from './telemetry/access-log';
import type { HttpDeps } from './deps';
import { homeFor, wantsPage } from './request/negotiate';
import { errorPage } from './pages/message-page';
import { sendPage } from './pages/send-page';

/** Status of each code that reaches the outside; any other is a failure of ours. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  invalid_request: 400,
  invalid_body: 400,
  invalid_reference: 400,
  unauthorized: 401,
  cross_site: 403,
  form_expired: 403,
  person_not_trusted: 403,
  not_found: 404,
  container_not_found: 404,
  update_not_found: 404,
  service_not_found: 404,
  method_not_allowed: 405,
  container_not_watched: 409,
  container_is_self: 409,
  policy_ignore: 409,
  container_is_engine_door: 409,
  swarm_task: 409,
  service_refused: 409,
  container_not_running: 409,
  different_repository: 409,
  update_running: 409,
  digest_not_confirmed: 409,
  no_window: 409,
  observe_mode: 409,
  not_waiting: 409,
  rehearsal_required: 409,
  compose_change_required: 409,
  name_taken: 409,
  auto_remove: 409,
  link_closed: 410,
  body_too_large: 413,
  name_needed: 422,
  too_many_requests: 429,
  engine_refused: 502,
  image_not_found: 502,
  registry_refused: 502,
  registry_unreachable: 502,
  storage_refused: 502,
  storage_unreachable: 502,
  engine_unreachable: 503,
  service_stopping: 503,
  storage_full: 507,
};

export interface ErrorBody {
  error: { code: ErrorCode; message: string; details?: Record<string, unknown> };
}

export function httpStatusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}

export const nothingHere: RequestHandler = (_request, _response, next) => {
  next(
    new PilotError(
      'not_found',
      'There is no route at this address: check that the address is complete. GET /openapi.json lists every route.',
    ),
  );
};

/** The one place where an error becomes an answer. Any other error than a PilotError is a defect: logged in full, answered by its number only. */
export function answerErrors({ logger, clock }: Pick<HttpDeps, 'logger' | 'clock'>): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const known = error instanceof PilotError ? error : badRequestOf(error, request);
    if (known === null) {
      const requestId = newId(clock.now());
      logger.error('a request failed by a defect or by the database', {
        requestId,
        method: request.method,
        route: routeOf(response),
        error: error instanceof Error ? error.stack : messageOf(error),
      });
      return answerError(request, response, internalError(requestId));
    }
    const status = httpStatusOf(known.code);
    if (status >= 500) {
      logger.warn('a request could not be served', {
        route: routeOf(response),
        code: known.code,
        error: known.message,
      });
    }
    answerError(request, response, errorBody(known));
  };
}

/** A page for a browser, JSON for everybody else. */
function answerError(request: Request, response: Response, body: ErrorBody): void {
  const { code, message } = body.error;
  const status = httpStatusOf(code);
  if (wantsPage(request, response)) {
    sendPage(response, status, errorPage({ status, code, message, home: homeFor(request) }));
  } else response.status(status).vary('Accept').json(body);
}

function errorBody({ code, message, details }: PilotError): ErrorBody {
  return { error: details === undefined ? { code, message } : { code, message, details } };
}

function internalError(requestId: string): ErrorBody {
  const message = `diun-pilot could not complete the request; nothing was accepted. Its log has the reason under requestId ${requestId}. If its disk is not full, please report it.`;
  return { error: { code: 'internal_error', message, details: { requestId } } };
}

/** Express itself refuses what cannot be read, such as `%E0` in a path, with an error that carries a 4xx status. */
function badRequestOf(error: unknown, { path }: Request): PilotError | null {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  if (status < 400 || status >= 500) return null;
  return path.startsWith('/approvals/')
    ? unknownLink()
    : new PilotError('invalid_request', 'The request cannot be read: check that its address is encoded correctly.');
}
