import { isSignedBy, macOf, type Secret } from '../../lib/secret';

const PURPOSE = 'diun-pilot form 1';
/** A page may stay open over night; the next window still takes its forms. */
const WINDOW_MS = 12 * 3_600_000;

/** Binds a form to what it does and to whom: a form of another site has none, one of another button has another. */
export function formToken(secret: Secret, action: string, id: string, now: Date): string {
  return macOf(secret, PURPOSE, contentOf(action, id, windowOf(now))).toString('base64url');
}

/** Valid for 12 to 24 hours after the page was made. */
export function isFormToken(secret: Secret, token: string, action: string, id: string, now: Date): boolean {
  const presented = Buffer.from(token, 'base64url');
  return [windowOf(now), windowOf(now) - 1]
    .map((window) => isSignedBy([secret], PURPOSE, contentOf(action, id, window), presented))
    .some((signed) => signed);
}

function windowOf(now: Date): number {
  return Math.floor(now.getTime() / WINDOW_MS);
}

function contentOf(action: string, id: string, window: number): string {
  return JSON.stringify([action, id, window]);
}
