import type { Certificate, CertificateSeen } from '../../domain/certificate';
import type { Clock } from '../../lib/clock';
import type { Certificates } from '../../ports/renewals';
import { fromJson, toJson } from './columns';
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
        .map((row) => ({
          ...row,
          disk: fromJson<Certificate>(row.disk),
          served: fromJson<Certificate>(row.served),
        })),

    replace: (seen) =>
      database.transaction(() => {
        database.prepare('DELETE FROM certificates').run();
        const insert = database.prepare(
          `INSERT INTO certificates (name, project, server, disk, served, problem)
           VALUES (@name, @project, @server, @disk, @served, @problem)`,
        );
        for (const each of seen) insert.run({ ...each, disk: toJson(each.disk), served: toJson(each.served) });
      })(),

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
