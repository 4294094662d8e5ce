import type { Update } from '../../domain/update';
import type { UpdateStatus } from '../../domain/update';
import { soakOf, toJson } from '../../http/server';
import type { CliContext } from '../context';
import { asJson, atTime, table } from '../text';
import { withApp } from '../with-app';

export interface UpdatesArguments {
  status?: UpdateStatus;
  container?: string;
  limit: number;
  json: boolean;
}

/** Lists updates, newest first. */
export function updatesCommand(context: CliContext, { json, ...filter }: UpdatesArguments): Promise<number> {
  return withApp(context, { json }, (app) => {
    const { updates, next } = app.store.updates.list(filter);
    if (json) {
      const all = updates.map((update) =>
        toJson(
          update,
          update.backupId === null ? null : app.store.backups.get(update.backupId),
          app.store.rehearsals.of(update.id),
          soakOf(app.store, update.id),
        ),
      );
      context.stdout.write(asJson({ updates: all, next }));
    } else if (updates.length === 0) {
      context.stdout.write('No update yet.\n');
    } else {
      context.stdout.write(`${tableOf(updates, app.settings.timeZone)}\n`);
      if (next !== null) context.stdout.write(`There are older ones: --limit ${filter.limit * 2} shows more.\n`);
    }
    return Promise.resolve(0);
  });
}

function tableOf(updates: Update[], timeZone: string): string {
  const rows = updates.map((update) => [
    update.id,
    atTime(update.createdAt, timeZone),
    update.container ?? '–',
    update.to.reference,
    update.status,
    update.error?.message ?? update.reason,
  ]);
  return table(['ID', 'WHEN', 'CONTAINER', 'TO', 'STATUS', 'WHY'], rows);
}
