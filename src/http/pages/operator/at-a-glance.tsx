import type { JSX } from 'preact';
import { BackupTrends } from '../charts/backup-trend';
import { CertificateDays } from '../charts/certificate-days';
import { Downtimes } from '../charts/downtimes';
import { UpdateTimeline } from '../charts/update-timeline';
import type { OperatorData } from './operator-data';

/** Pictures of what the store has; nothing on a host on which nothing has happened yet. */
export function AtAGlance(data: OperatorData): JSX.Element | null {
  if (!hasPictures(data)) return null;
  const { pastUpdates, pastBackups, certificates, now } = data;
  return (
    <section aria-labelledby="glance">
      <h2 id="glance">At a glance</h2>
      <div class="charts">
        <UpdateTimeline past={pastUpdates} now={now} />
        <Downtimes past={pastUpdates} title="Downtime of the latest updates" />
        <CertificateDays certificates={certificates} now={now} />
        <BackupTrends past={pastBackups} />
      </div>
    </section>
  );
}

export function hasPictures({
  pastUpdates,
  pastBackups,
  certificates,
}: Pick<OperatorData, 'pastUpdates' | 'pastBackups' | 'certificates'>): boolean {
  return pastUpdates.length + pastBackups.length + certificates.length > 0;
}
