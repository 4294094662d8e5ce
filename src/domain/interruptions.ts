/** What was interrupted this often is not started again. */
export const MOST_ATTEMPTS = 3;

export const INTERRUPTED_TOO_OFTEN = `diun-pilot was stopped in the middle of it ${MOST_ATTEMPTS} times.`;

/** `suspects`: where to look for the reason, besides the log. */
export function interruptedText(times: number, during: string, suspects: string, again: 'update' | 'restore'): string {
  const often = times === 1 ? 'once' : `${times} times`;
  return `diun-pilot was stopped ${often} ${during}. Look for the reason in its log (${suspects}), then request the ${again} again.`;
}
