import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/clock';
import { jsonOrUndefined } from '../../lib/json';
import type { Audit, AuditEntry, AuditVerdict } from '../../ports/audit';
import type { Database } from './database';

interface Row extends Omit<AuditEntry, 'detail'> {
  detail: string;
}

const FIRST = createHash('sha256').digest('hex');

export function createAudit(database: Database, clock: Clock): Audit {
  return {
    append: ({ kind, actor, subject, detail }) => {
      database.transaction(() => {
        const last = lastOf(database);
        const content = {
          ...{ number: (last?.number ?? 0) + 1, at: clock.now().toISOString(), kind, actor, subject },
          ...{ detail: JSON.stringify(detail), previous: last?.hash ?? FIRST },
        };
        database
          .prepare('INSERT INTO audit VALUES (@number, @at, @kind, @actor, @subject, @detail, @previous, @hash)')
          .run({ ...content, hash: hashOf(content) });
      })();
    },
    list: ({ limit, cursor = Number.MAX_SAFE_INTEGER }) => {
      const found = 'SELECT * FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?';
      const rows = database.prepare<[number, number], Row>(found).all(cursor, limit + 1);
      const entries = rows.slice(0, limit).map(toEntry);
      return { entries, next: rows.length > limit ? (entries.at(-1)?.number ?? null) : null };
    },
    latest: (kind) => {
      const newest = 'SELECT * FROM audit WHERE kind = ? ORDER BY number DESC LIMIT 1';
      const row = database.prepare<[string], Row>(newest).get(kind);
      return row === undefined ? null : toEntry(row);
    },
    verify: (noted) => verify(database, noted),
  };
}

/** Row by row: the trail may be longer than memory. */
function verify(database: Database, noted: string | undefined): AuditVerdict {
  let entries = 0;
  let previous = FIRST;
  let isNotedThere = noted === undefined;
  for (const row of database.prepare<[], Row>('SELECT * FROM audit ORDER BY number').iterate()) {
    const reason = whyBroken(row, entries + 1, previous);
    if (reason !== null) return { entries, lastHash: null, broken: { number: entries + 1, reason } };
    entries++;
    previous = row.hash;
    isNotedThere ||= row.hash === noted;
  }
  const lastHash = entries === 0 ? null : previous;
  return isNotedThere ? { entries, lastHash, broken: null } : { entries, lastHash, broken: without(entries) };
}

/** Its hashes fit, as those of a trail that was cut or written again from its first record do. */
function without(entries: number): AuditVerdict['broken'] {
  const reason = 'no record has the noted hash: the end of the trail was removed, or all of it was written again';
  return { number: entries + 1, reason };
}

function whyBroken(row: Row, expected: number, previous: string): string | null {
  if (row.number !== expected) return `record ${expected} is missing`;
  if (row.previous !== previous)
    return `record ${expected} does not follow record ${expected - 1}: one of them was replaced`;
  return row.hash === hashOf(row) ? null : `record ${expected} is not as it was written`;
}

function lastOf(database: Database): Row | undefined {
  return database.prepare<[], Row>('SELECT * FROM audit ORDER BY number DESC LIMIT 1').get();
}

/** Over a JSON array, in which no value can run into the next. */
function hashOf({ number, at, kind, actor, subject, detail, previous }: Omit<Row, 'hash'>): string {
  const content = JSON.stringify([number, at, kind, actor, subject, detail, previous]);
  return createHash('sha256').update(content).digest('hex');
}

/** A record that was altered is shown as what it is, next to the others. */
function toEntry(row: Row): AuditEntry {
  const detail = jsonOrUndefined(row.detail);
  const isObject = typeof detail === 'object' && detail !== null && !Array.isArray(detail);
  return { ...row, detail: isObject ? (detail as Record<string, unknown>) : { unreadable: row.detail } };
}
