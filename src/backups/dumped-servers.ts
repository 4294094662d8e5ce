import type { BackupItem } from '../domain/backups/backup';

/** What a set holds of one database server. */
export interface DumpedServer {
  /** Name of its container. */
  container: string;
  roles: BackupItem[];
  /** At least one. */
  databases: [BackupItem, ...BackupItem[]];
}

/** The servers whose databases a set holds, in its order. */
export function serversIn(items: readonly BackupItem[]): DumpedServer[] {
  const names = new Set(items.filter(({ kind }) => kind === 'database').map(({ container }) => container));
  return [...names].map((container) => {
    const of = (kind: BackupItem['kind']): BackupItem[] =>
      items.filter((item) => item.container === container && item.kind === kind);
    return { container, roles: of('globals'), databases: of('database') as DumpedServer['databases'] };
  });
}
