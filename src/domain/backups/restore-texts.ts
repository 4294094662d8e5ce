import { formatTime } from '../format';
import type { Kept } from './restore';

const DATA_IS_KEPT = ' The data of the new version is kept: ';

/** Of the step `restore` of an update: a sentence, then the commands that remove what is kept, one in each line. */
export function restoredDetail(createdAt: string, kept: readonly Kept[]): string {
  const restored = `The data of ${formatTime(createdAt)} is restored.`;
  if (kept.length === 0) return restored;
  const what = kept.map((each) => each.what).join('; ');
  return [`${restored}${DATA_IS_KEPT}${what}. To remove it:`, ...kept.map(({ remove }) => remove)].join('\n');
}

/** Its first sentence, where what is kept is listed elsewhere. */
export function withoutKept(sentence: string): string {
  return sentence.split(DATA_IS_KEPT)[0] ?? sentence;
}

/** Follows the cause of a restore that failed and was undone. */
export const DATA_IS_BACK = 'The previous data is in place';
const NOT_ALL_RUN = `${DATA_IS_BACK}, but not every container is healthy:`;
const NOT_BACK = 'The previous data could not be put back:';

export const notAllRun = (why: string): string => `${NOT_ALL_RUN} ${why}`;
export const notBack = (why: string): string => `${NOT_BACK} ${why}`;

/** What a restore that failed has left: the previous data and all containers, or less. By the words above. */
export function leftBy(message: string): 'all as before' | 'data as before' | 'data not as before' {
  if (message.includes(NOT_BACK)) return 'data not as before';
  return message.includes(NOT_ALL_RUN) ? 'data as before' : 'all as before';
}
