import { type BackupRecord, scopeName, takenAt } from '../../domain/backups/backup';
import { withApp, type CliContext } from '../with-app';
import { follow, liveOutput, silentOutput, type LiveOutput } from '../output';
import { asJson, atTime, inBytes, table } from '../text';

export interface BackupArguments {
  project?: string;
  json: boolean;
}

/** Takes a backup of one project or of all, and follows each to its end; 0 only when all are stored and verified. */
export function backupCommand(context: CliContext, { project, json }: BackupArguments): Promise<number> {
  const output = json ? silentOutput : liveOutput(context.stdout);
  return withApp(context, { json }, async (app, signal) => {
    const asked = await app.requestBackups(project === undefined ? {} : { project });
    const look = (): BackupRecord[] => asked.map(({ id }) => app.store.backups.get(id) as BackupRecord);
    const isOver = (now: BackupRecord[]): boolean => now.every(isEnded);
    const changed = (before: BackupRecord[] | null, now: BackupRecord[]): void => printBackups(before, now, output);
    const ended = asked.length === 0 ? [] : await follow(app, { look, isOver, changed }, signal);
    if (json) context.stdout.write(asJson({ backups: ended }));
    if (ended.length === 0) output.line('Nothing to back up: no container has the label backup.kind.');
    return ended.length > 0 && ended.every(({ status }) => status === 'succeeded') ? 0 : 1;
  });
}

function printBackups(before: BackupRecord[] | null, now: BackupRecord[], output: LiveOutput): void {
  now
    .filter((record, i) => isEnded(record) && before?.[i]?.status !== record.status)
    .forEach((record) => output.line(endOf(record)));
  const open = now.find((record) => !isEnded(record));
  if (open !== undefined) output.progress(`${scopeName(open)}: ${open.status} …`);
}

function endOf(record: BackupRecord): string {
  if (record.status === 'failed') return `${scopeName(record)}: failed, ${record.error?.message ?? 'see the log'}`;
  return `${scopeName(record)}: stored and verified, ${inBytes(record.bytes)} at ${record.url ?? 'the backup storage'}`;
}

function isEnded({ status }: BackupRecord): boolean {
  return status === 'succeeded' || status === 'failed';
}

/** Lists backups, newest first. */
export function backupsCommand(
  context: CliContext,
  { limit, json }: { limit: number; json: boolean },
): Promise<number> {
  return withApp(context, { json }, (app) => {
    const backups = app.store.backups.list(limit);
    if (json) context.stdout.write(asJson({ backups }));
    else if (backups.length === 0) context.stdout.write('No backups yet.\n');
    else context.stdout.write(`${tableOf(backups, app.settings.timeZone)}\n`);
    return Promise.resolve(0);
  });
}

function tableOf(backups: BackupRecord[], timeZone: string): string {
  const rows = backups.map((record) => [
    record.id,
    atTime(takenAt(record), timeZone),
    scopeName(record),
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
