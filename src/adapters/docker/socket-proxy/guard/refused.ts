/** A request that the guard does not pass on. The message says what it asks for, and continues "the socket proxy refuses …: ". */
export class Refused extends Error {}

/** What the request names is not there: the engine would answer 404, and the message is in its words. */
export class Missing extends Refused {}

export function missing(what: 'container' | 'image', name: string): never {
  throw new Missing(`No such ${what}: ${name}`);
}

export function refuse(reason: string): never {
  throw new Refused(reason);
}

export function mustBe(holds: boolean, reason: string): void {
  if (!holds) refuse(reason);
}
