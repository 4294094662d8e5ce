import type { Deps } from '../deps';
import { keptText } from '../domain/recreate/carry-over';
import { formatTime } from '../domain/format';
import type { Update } from '../domain/update';

/** What an update keeps on purpose past its end, until when, and the commands for it: of verdict and mail alike. */
export function keptSentences({ store, timeZone }: Pick<Deps, 'store' | 'timeZone'>, update: Update): string[] {
  return store.keptContainers
    .all()
    .filter(({ updateId, leftover }) => updateId === update.id && !leftover)
    .map((kept) => keptText(kept, formatTime(kept.keepUntil, timeZone)));
}
