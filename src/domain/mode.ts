import { PilotError } from './errors';

/** `observe`: decides, backs up and reports, but changes no container. */
export type Mode = 'act' | 'observe';

/** As text, for pages, mails and `check`. */
export const OBSERVES = 'diun-pilot observes (PILOT_MODE=observe) and changes no container.';
export const HOW_TO_ACT = 'To let diun-pilot act, set PILOT_MODE=act and restart it.';

/** At the end of the reason of each queued update while diun-pilot observes. */
export const NOT_STARTED = 'It is not started while diun-pilot observes (PILOT_MODE=observe).';

/** Refuses what would change a container. Throws `observe_mode`. */
export function refuseWhileObserving(mode: Mode, what: string): void {
  if (mode !== 'observe') return;
  throw new PilotError('observe_mode', `${OBSERVES} ${what} ${HOW_TO_ACT}`);
}

/** The reason of a queued update under a mode: with the sentence above, or without it. */
export function reasonUnder(mode: Mode, reason: string): string {
  const plain = reason.replaceAll(NOT_STARTED, '').trim();
  return mode === 'observe' ? `${plain} ${NOT_STARTED}` : plain;
}
