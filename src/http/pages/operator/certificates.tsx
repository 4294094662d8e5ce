import { formatDay, codeAsText } from '../../../domain/format';
import type { ComponentChildren, JSX } from 'preact';
import {
  type Certificate,
  type CertificateSeen,
  daysLeft,
  isNotLoaded,
  nearsItsEnd,
  type RenewalRecord,
  timeLeft,
} from '../../../domain/certificates/certificate';
import { oneLine } from '../../../notifications/letter/clean';
import { ago, toneOfWork } from '../words';
import { ActionForm } from './action-form';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** Each certificate with the days left, as served and as on disk, and the results of past renewals. */
export function Certificates({ certificates, renewals, tokenFor, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="certificates">
      <h2 id="certificates">Certificates</h2>
      <div class="actions">
        <ActionForm action="renew" id="" tokenFor={tokenFor} text="Renew certificates now" of="" />
      </div>
      <Table
        caption="Certificates, as served and as on disk"
        columns={['Name', 'Served', 'On disk', 'Server']}
        rows={certificates.map((seen) => certificateRow(seen, now))}
        empty="No certificates found. Containers that renew or serve one need the label renewal.role."
      />
      <h3>Renewals</h3>
      <Table
        caption="Renewals, newest first"
        columns={['When', 'Status', 'Result', 'Requested by']}
        rows={renewals.map((record) => renewalRow(record, now))}
        empty="No renewals yet."
        first={2}
        rest="older renewals"
      />
    </section>
  );
}

function certificateRow(seen: CertificateSeen, now: Date): ComponentChildren[] {
  return [
    <>
      <strong>{oneLine(seen.name)}</strong>
      {seen.problem === null ? null : <p class="problems">{oneLine(seen.problem, 400)}</p>}
      {isNotLoaded(seen) ? <p class="problems">The server has not loaded the certificate on disk.</p> : null}
    </>,
    <Life certificate={seen.served} now={now} />,
    <Life certificate={seen.disk} now={now} />,
    seen.server === null ? null : oneLine(seen.server),
  ];
}

function Life({ certificate, now }: { certificate: Certificate | null; now: Date }): JSX.Element {
  if (certificate === null) return <>not known</>;
  const tone = daysLeft(certificate, now) < 0 ? 'alarm' : nearsItsEnd(certificate, now) ? 'attention' : 'good';
  return (
    <>
      <span class={`badge ${tone}`}>{timeLeft(certificate, now)}</span>
      <p class="small">until {formatDay(certificate.notAfter)}</p>
    </>
  );
}

function renewalRow(record: RenewalRecord, now: Date): ComponentChildren[] {
  return [
    ago(record.finishedAt ?? record.startedAt ?? record.createdAt, now),
    <span class={`badge ${toneOfWork(record.status)}`}>{codeAsText(record.outcome ?? record.status)}</span>,
    record.detail === null ? waits(record, now) : oneLine(record.detail, 400),
    codeAsText(record.reason),
  ];
}

function waits({ status, dueAt }: RenewalRecord, now: Date): string | null {
  if (status !== 'queued') return null;
  return Date.parse(dueAt) > now.getTime() ? `runs ${ago(dueAt, now)}` : 'starts as soon as nothing else runs';
}
