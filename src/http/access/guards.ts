import type { Request, RequestHandler, Response } from 'express';
import { PilotError } from '../../domain/errors';
import type { HttpDeps } from '../deps';
import { wantsPage } from '../request/negotiate';
import { carriesToken, isBasic } from './authentication';
import type { FailedLogins } from './failed-logins';
import { crossSite, isForeignOrUnknown } from './same-site';

const BEARER = 'Bearer realm="diun-pilot"';
const BASIC = 'Basic realm="diun-pilot", charset="UTF-8"';

/**
 * Accepts the API token as a bearer or as the password of Basic. A browser sends the password automatically, also with
 * a form of another site: such a POST is refused.
 */
export function requireApiToken(deps: Pick<HttpDeps, 'apiToken' | 'publicUrl'>, failed: FailedLogins): RequestHandler {
  return letIn(deps, failed, (request) =>
    request.method === 'POST' && isBasic(request.headers.authorization) && isForeignOrUnknown(request, deps.publicUrl)
      ? crossSite()
      : undefined,
  );
}

/** Lets the page's password pass, for forms that carry a form token of their own. */
export function requirePassword(deps: Pick<HttpDeps, 'apiToken'>, failed: FailedLogins): RequestHandler {
  return letIn(deps, failed, () => undefined);
}

/**
 * A valid token is never rate-limited, because clients behind NAT or a tunnel share an address. Its length protects it
 * from guessing; `check` reports a short one.
 */
function letIn(
  { apiToken }: Pick<HttpDeps, 'apiToken'>,
  failed: FailedLogins,
  objection: (request: Request) => Error | undefined,
): RequestHandler {
  return async (request, response, next) => {
    if (carriesToken(request.headers.authorization, [apiToken], ['bearer', 'basic'])) return next(objection(request));
    const remedy = apiRemedy(request, response);
    // A browser sends its first request without a password and prompts for one only after a challenge.
    const guessesNothing = remedy.challenge === BASIC && request.headers.authorization === undefined;
    if (guessesNothing) return next(challenge(response, remedy));
    await refuse(request, response, failed, remedy).then(next);
  };
}

/** Lets a webhook token pass always: a blocked notification would be lost, since Diun never sends one twice. */
export function requireWebhookToken(
  { webhookTokens }: Pick<HttpDeps, 'webhookTokens'>,
  failed: FailedLogins,
): RequestHandler {
  const remedy = {
    challenge: BEARER,
    words:
      'In diun.yml set notif.webhook.headers.authorization to "Bearer TOKEN" with the token of PILOT_WEBHOOK_TOKEN.',
  };
  return async (request, response, next) => {
    if (carriesToken(request.headers.authorization, webhookTokens, ['bearer', 'bare'])) return next();
    await refuse(request, response, failed, remedy).then(next);
  };
}

interface Remedy {
  challenge: string;
  words: string;
}

/** Only a page asks a browser for a password. */
function apiRemedy(request: Request, response: Response): Remedy {
  return wantsPage(request, response)
    ? { challenge: BASIC, words: 'Any user name will do; the password is the token of PILOT_API_TOKEN.' }
    : { challenge: BEARER, words: 'Send `Authorization: Bearer TOKEN` with the token of PILOT_API_TOKEN.' };
}

/** Counts the failure, and resolves with the error to answer: 401, or 429 once there were too many. */
function refuse(request: Request, response: Response, failed: FailedLogins, remedy: Remedy): Promise<Error> {
  return new Promise((resolve, reject) => {
    const counted = failed.count(request, response, (error: unknown) => {
      resolve(error instanceof Error ? error : challenge(response, remedy));
    });
    Promise.resolve(counted).catch(reject);
  });
}

function challenge(response: Response, remedy: Remedy): Error {
  response.set('WWW-Authenticate', remedy.challenge);
  return new PilotError('unauthorized', `The token is missing or wrong. ${remedy.words}`);
}
