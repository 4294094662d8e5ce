import type { BackupRecord } from '../../domain/backups/backup';
import type { CliContext } from '../context';
import { asJson, atTime, inBytes, table } from '../text';
import { withApp } from '../with-app';

/** Lists backups, newest first. */
export function backupsCommand(
  context: CliContext,
  { limit, json }: { limit: number; json: boolean },
): Promise<number> {
  return withApp(context, { json }, (app) => {
    const backups = app.store.backups.list(limit);
    if (json) context.stdout.write(asJson({ backups }));
    else if (backups.length === 0) context.stdout.write('No backup yet.\n');
    else context.stdout.write(`${tableOf(backups, app.settings.timeZone)}\n`);
    return Promise.resolve(0);
  });
}

function tableOf(backups: BackupRecord[], timeZone: string): string {
  const rows = backups.map((record) => [
    record.id,
    atTime(record.createdAt, timeZone),
    record.project ?? record.container ?? '–',
    record.reason,
    record.status,
    inBytes(record.bytes),
    record.drill?.status ?? '–',
    whereOrWhy(record),
  ]);
  return table(['ID', 'WHEN', 'PROJECT', 'FOR', 'STATUS', 'SIZE', 'DRILL', 'WHERE OR WHY'], rows);
}

function whereOrWhy({ error, pruned, url, drill }: BackupRecord): string {
  const words = error?.message ?? pruned?.because ?? url ?? '–';
  return drill === null || drill.status === 'passed' ? words : `${words} (drill: ${drill.words})`;
}
