import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

/** A secret that redacts itself when printed, logged or serialised. `reveal()` is the only way to its value. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[redacted]';
  }
  toJSON(): string {
    return '[redacted]';
  }
  [inspect.custom](): string {
    return '[redacted]';
  }
}

/** HMAC-SHA256 by a key of its own for each purpose (HKDF, RFC 5869): nothing signed for one is valid for another. */
export function macOf(secret: Secret, purpose: string, content: string): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret.reveal(), '', purpose, 32));
  return createHmac('sha256', key).update(content).digest();
}

/** Whether one of the secrets has signed the content. Every secret is tried, and compared in constant time. */
export function isSignedBy(secrets: readonly Secret[], purpose: string, content: string, mac: Buffer): boolean {
  const own = secrets.map((secret) => macOf(secret, purpose, content));
  return own.map((each) => each.length === mac.length && timingSafeEqual(each, mac)).some((equal) => equal);
}
