// After another process removed, renamed or stopped the containers of an update, one is brought back so that the service runs.

const STARTED = 'diun-pilot started it.';
const NONE_RUNS = 'diun-pilot could not start one:';

/** What was found, as the beginning of a sentence about one container. */
export const startedText = (found: string): string => `${found}, so ${STARTED}`;
export const noneRunsText = (name: string, why: string): string =>
  `No container named ${name} runs, and ${NONE_RUNS} ${why}`;

/** Whether a container was brought back, by the words above. */
export function broughtBack(message: string): 'started' | 'none runs' | null {
  if (message.includes(NONE_RUNS)) return 'none runs';
  return message.includes(STARTED) ? 'started' : null;
}
