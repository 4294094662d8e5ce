import { plural } from '../../domain/format';
import type { AuditEntry, AuditVerdict } from '../../ports/audit';
import { withApp, type CliContext } from '../with-app';
import { asJson, atTime, table } from '../text';

export interface AuditArguments {
  verify: boolean;
  /** A hash that the operator kept elsewhere: implies `verify`. */
  noted: string | undefined;
  limit: number;
  json: boolean;
}

/** Lists the audit trail, newest first; with `verify`, computes every hash again, and ends with 0 only for an unbroken chain. */
export function auditCommand(context: CliContext, { verify, noted, limit, json }: AuditArguments): Promise<number> {
  return withApp(context, { json }, (app) => {
    if (verify || noted !== undefined) {
      const verdict = app.store.audit.verify(noted?.trim().toLowerCase());
      context.stdout.write(json ? asJson(verdict) : `${verdictText(verdict)}\n`);
      return Promise.resolve(verdict.broken === null ? 0 : 1);
    }
    const { entries } = app.store.audit.list({ limit });
    context.stdout.write(json ? asJson({ entries }) : `${listText(entries, app.settings.timeZone)}\n`);
    return Promise.resolve(0);
  });
}

function verdictText({ entries, lastHash, broken }: AuditVerdict): string {
  if (broken !== null) {
    return `The audit trail is broken: ${broken.reason}. Compare it with the pilot.db of a backup of the data directory.`;
  }
  if (entries === 0) return 'The audit trail is empty.';
  return `The audit trail is intact: ${plural(entries, 'record')}. Note the last hash elsewhere to prove it later: ${lastHash}`;
}

function listText(entries: AuditEntry[], timeZone: string): string {
  if (entries.length === 0) return 'The audit trail is empty.';
  const rows = entries.map(({ number, at, kind, actor, subject, detail }) => [
    ...[String(number), whenOf(at, timeZone), kind, actor, subject ?? '–'],
    Object.entries(detail)
      .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' '),
  ]);
  return table(['NUMBER', 'WHEN', 'KIND', 'BY', 'ABOUT', 'DETAIL'], rows);
}

/** The time of a record that was altered may be none. */
function whenOf(at: string, timeZone: string): string {
  return Number.isNaN(Date.parse(at)) ? at : atTime(at, timeZone);
}
