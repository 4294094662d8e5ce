import type { Request, RequestHandler, Response } from 'express';
import { PilotError } from '../domain/errors';
import { carriesToken } from './authentication';
import type { HttpDeps } from './deps';
import { tooManyFailures, type FailedLogins } from './failed-logins';

/** Lets the API token pass. An address that failed too often waits a minute whatever it sends, so that guessing is slow. */
export function requireApiToken({ apiToken }: Pick<HttpDeps, 'apiToken'>, failed: FailedLogins): RequestHandler {
  return async (request, response, next) => {
    if (await failed.exceededBy(request)) {
      response.set('Retry-After', '60');
      return next(tooManyFailures());
    }
    if (carriesToken(request.headers.authorization, [apiToken], 'bearer')) return next();
    await refuse(
      request,
      response,
      failed,
      'Send `Authorization: Bearer TOKEN` with the token of PILOT_API_TOKEN.',
    ).then(next);
  };
}

/** Lets a webhook token pass always: a blocked notification would be lost, since Diun never sends one twice. */
export function requireWebhookToken(
  { webhookTokens }: Pick<HttpDeps, 'webhookTokens'>,
  failed: FailedLogins,
): RequestHandler {
  return async (request, response, next) => {
    if (carriesToken(request.headers.authorization, webhookTokens, 'bearer or bare')) return next();
    await refuse(
      request,
      response,
      failed,
      'In diun.yml set notif.webhook.headers.authorization to "Bearer TOKEN" with the token of PILOT_WEBHOOK_TOKEN.',
    ).then(next);
  };
}

/** Counts the failure, and resolves with the error to answer: 401, or 429 once there were too many. */
function refuse(request: Request, response: Response, failed: FailedLogins, remedy: string): Promise<Error> {
  return new Promise((resolve, reject) => {
    const counted = failed.count(request, response, (error: unknown) => {
      if (error instanceof Error) return resolve(error);
      response.set('WWW-Authenticate', 'Bearer realm="diun-pilot"');
      resolve(new PilotError('unauthorized', `The token is missing or wrong. ${remedy}`));
    });
    Promise.resolve(counted).catch(reject);
  });
}
