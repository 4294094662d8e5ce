import type { Certificate, CertificateSeen } from '../../domain/certificates/certificate';
import type { Clock } from '../../lib/clock';
import type { Certificates } from '../../ports/renewals';
import { fromJson, insertion } from './records/columns';
import type { Database } from './database';

type Row = Pick<CertificateSeen, 'name' | 'project' | 'server' | 'problem'> & {
  disk: string | null;
  served: string | null;
};

export function createCertificates(database: Database, clock: Clock): Certificates {
  return {
    list: () =>
      database
        .prepare<[], Row>('SELECT name, project, server, disk, served, problem FROM certificates ORDER BY position')
        .all()
        .map(toSeen),
    replace: (seen) => database.transaction(() => replaceAll(database, seen))(),
    alarmedAt: (fingerprint) =>
      database
        .prepare<[string], { threshold: number }>('SELECT threshold FROM certificate_alarms WHERE fingerprint = ?')
        .get(fingerprint)?.threshold ?? null,
    alarmed: (fingerprint, threshold) =>
      void database
        .prepare(
          `INSERT INTO certificate_alarms (fingerprint, threshold, at) VALUES (@fingerprint, @threshold, @at)
           ON CONFLICT (fingerprint) DO UPDATE SET threshold = @threshold, at = @at`,
        )
        .run({ fingerprint, threshold, at: clock.now().toISOString() }),
  };
}

function replaceAll(database: Database, seen: readonly CertificateSeen[]): void {
  database.prepare('DELETE FROM certificates').run();
  for (const { name, project, server, disk, served, problem } of seen) {
    const row = { name, project, server, disk, served, problem };
    const { clause, values } = insertion(row, new Set(['disk', 'served']));
    database.prepare(`INSERT INTO certificates ${clause}`).run(values);
  }
}

function toSeen(row: Row): CertificateSeen {
  return { ...row, disk: fromJson<Certificate>(row.disk), served: fromJson<Certificate>(row.served) };
}
