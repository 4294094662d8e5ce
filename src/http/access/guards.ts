import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { PilotError } from '../../domain/errors';
import type { Secret } from '../../lib/secret';
import type { HttpDeps } from '../deps';
import { wantsPage } from '../request/negotiate';
import type { FailedLogins } from './failed-logins';

const BEARER = 'Bearer realm="diun-pilot"';
const BASIC = 'Basic realm="diun-pilot", charset="UTF-8"';

/**
 * Accepts the API token as a bearer or as the password of Basic. A browser sends the password automatically, also with
 * a form of another site: such a POST is refused.
 */
export function requireApiToken(deps: Pick<HttpDeps, 'apiToken' | 'publicUrl'>, failed: FailedLogins): RequestHandler {
  return letIn(deps, failed, (request) =>
    request.method === 'POST' &&
    /^basic /i.test(request.headers.authorization ?? '') &&
    isForeignOrUnknown(request, deps.publicUrl)
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
    await countFailedLogin(request, response, failed, remedy).then(next);
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
    await countFailedLogin(request, response, failed, remedy).then(next);
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
function countFailedLogin(request: Request, response: Response, failed: FailedLogins, remedy: Remedy): Promise<Error> {
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

/** `basic`: the token is the password, the user name is not looked at. */
export type Scheme = 'bearer' | 'bare' | 'basic';

/**
 * Whether an Authorization header carries one of the tokens. Both sides go through SHA-256, so that the comparison
 * takes the same time whatever the lengths, and every token is compared.
 */
function carriesToken(header: string | undefined, tokens: Secret[], schemes: readonly Scheme[]): boolean {
  const presented = presentedToken(header ?? '', schemes);
  if (presented === null || presented.length === 0) return false;
  const digest = sha256(presented);
  return tokens
    .map((token) => timingSafeEqual(digest, sha256(Buffer.from(token.reveal(), 'utf8'))))
    .some((equal) => equal);
}

function presentedToken(header: string, schemes: readonly Scheme[]): Buffer | null {
  const bearer = /^bearer +(.*)$/i.exec(header)?.[1];
  if (bearer !== undefined && schemes.includes('bearer')) return headerBytes(bearer);
  const basic = /^basic +(.*)$/i.exec(header)?.[1];
  if (basic !== undefined && schemes.includes('basic')) return passwordOf(Buffer.from(basic, 'base64'));
  return schemes.includes('bare') ? headerBytes(header) : null;
}

/** After the first colon (RFC 7617): the password itself may have more of them. */
function passwordOf(userAndPassword: Buffer): Buffer | null {
  const colon = userAndPassword.indexOf(':');
  return colon === -1 ? null : userAndPassword.subarray(colon + 1);
}

/** Node reads header bytes as latin1: they are taken back, so that a token in UTF-8 compares equal. */
function headerBytes(text: string): Buffer {
  return Buffer.from(text.trim(), 'latin1');
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/**
 * Refuses a POST that another site made a browser send (`cross_site`). Our pages send no referrer, so their own forms come
 * with `Origin: null` (Fetch standard, "append a request Origin header"). That passes here, because such a form also
 * carries a secret: the token of the link or a form token.
 */
export function refuseCrossSite({ publicUrl }: { publicUrl: string }): RequestHandler {
  return (request, _response, next) => next(isForeign(request, publicUrl) ? crossSite() : undefined);
}

/** For a POST without such a secret, admitted by what a browser sends on its own: no unknown origin passes. */
function isForeignOrUnknown(request: Request, publicUrl: string): boolean {
  return isForeign(request, publicUrl) || request.headers.origin === 'null';
}

function crossSite(): PilotError {
  return new PilotError(
    'cross_site',
    'This request came from a page of another site, so nothing was done: open the page of diun-pilot itself, and press the button there.',
  );
}

function isForeign(request: Request, publicUrl: string): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin } = request.headers;
  return origin !== undefined && origin !== 'null' && !ownOrigins(request, publicUrl).includes(origin);
}

/**
 * Scheme, host and port of the public URL, compared as a browser writes them. On the machine itself also those of the
 * request: there `ssh -L` leads to the operator page, whatever the public URL is.
 */
function ownOrigins({ headers: { host = '' } }: Request, publicUrl: string): string[] {
  const local = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host);
  return [new URL(publicUrl).origin, ...(local ? [`http://${host}`] : [])];
}
