import { formatTime } from '../format';
import type { Kept, RestoreJournal } from './restore';

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

/** One sentence for each container that uses the data of a restore and is not judged at its end; empty: all are. */
export function notJudged({ stopped, leftDown = [] }: Pick<RestoreJournal, 'stopped' | 'leftDown'>): string[] {
  const unhealthy = stopped.filter(({ well }) => !well);
  return [
    ...unhealthy.map(({ name }) => `${name} was started again, but not judged, because it was unhealthy before.`),
    ...leftDown.map((name) => `${name} was not started, because it did not run before.`),
  ];
}
