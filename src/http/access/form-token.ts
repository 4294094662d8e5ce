import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../lib/secret';

const PURPOSE = 'diun-pilot form 1';
/** A page may stay open over night; the next window still takes its forms. */
const WINDOW_MS = 12 * 3_600_000;

/** Binds a form to what it does and to whom: a form of another site has none, one of another button has another. */
export function formToken(secret: Secret, action: string, id: string, now: Date): string {
  return macOf(secret, action, id, windowOf(now)).toString('base64url');
}

/** Valid for 12 to 24 hours after the page was made. */
export function isFormToken(secret: Secret, token: string, action: string, id: string, now: Date): boolean {
  const presented = Buffer.from(token, 'base64url');
  return [windowOf(now), windowOf(now) - 1]
    .map((window) => macOf(secret, action, id, window))
    .map((mac) => mac.length === presented.length && timingSafeEqual(mac, presented))
    .some((equal) => equal);
}

function windowOf(now: Date): number {
  return Math.floor(now.getTime() / WINDOW_MS);
}

function macOf(secret: Secret, action: string, id: string, window: number): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret.reveal(), '', PURPOSE, 32));
  return createHmac('sha256', key)
    .update(JSON.stringify([action, id, window]))
    .digest();
}
