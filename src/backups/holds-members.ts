import type { BackupRecord } from '../domain/backups/backup';
import type { Container } from '../domain/container';

/** Whether a set has each member by its name, with the paths that its labels name now. */
export function holdsMembers({ items }: Pick<BackupRecord, 'items'>, members: readonly Container[]): boolean {
  return members.every(({ name, labels: { backup } }) => {
    const own = items.filter(({ container }) => container === name);
    if (backup?.kind !== 'files') return own.length > 0;
    return backup.paths.every((path) => own.some((item) => item.kind === 'files' && item.name === path));
  });
}
