import { formatTime } from '../../domain/format';
import {
  type CertificateSeen,
  daysLeft,
  type RenewalRecord,
  timeLeft,
  validity,
  whatIsServed,
} from '../../domain/certificates/certificate';
import { splitDetail } from '../letter/clean';
import { machineSaid, paragraph, section, type Block, type Fact } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import type { RenderedMail } from '../rendered-mail';
import { operatorSection } from './passages/passages';

interface RenewalNews {
  renewal: RenewalRecord;
  /** When it is tried again; ISO 8601. */
  retryAt: string;
  now: Date;
  publicUrl: string;
}

export function renewalFailed({ renewal, retryAt, now, publicUrl }: RenewalNews): RenderedMail {
  const seen = renewal.after ?? renewal.before ?? [];
  const { sentence, output } = splitDetail(renewal.error?.message ?? renewal.detail ?? 'The reason is not known.');
  return renderLetter({
    kind: 'renewal_failed',
    updateId: null,
    about: [...new Set(seen.map(({ name }) => name))].join(', ') || 'certificates',
    subject: `renewal failed${urgencyOf(seen, now)} – please check`,
    verdict: { tone: 'attention', word: 'Renewal failed' },
    heading: 'The renewal of the certificates failed',
    blocks: [
      paragraph(`${servedNow(renewal)} The renewal is retried automatically at ${formatTime(retryAt)}.`),
      ...section('What went wrong', paragraph(sentence), ...machineSaid(output), {
        type: 'facts',
        facts: [
          { label: 'Renewal', value: renewal.id },
          { label: 'Started', value: formatTime(renewal.startedAt ?? renewal.createdAt) },
          { label: 'Error', value: renewal.error?.code ?? 'unknown' },
        ],
      }),
      ...certificatesPassage(seen, now),
      ...section('What to do now', paragraph('Fix the cause and renew again:'), {
        type: 'commands',
        lines: ['diun-pilot renew'],
      }),
    ],
    ...operatorSection(publicUrl, 'certificates'),
  });
}

function servedNow({ before, after }: RenewalRecord): string {
  if (before === null || after === null) return 'The renewal was aborted before the served certificate was checked.';
  return `After the failed renewal, ${whatIsServed(before, after)}.`;
}

/** The urgency: the time until the first served certificate expires. */
function urgencyOf(all: CertificateSeen[], now: Date): string {
  const served = all.map((seen) => seen.served).filter((each) => each !== null);
  const [first] = served.sort((a, b) => a.notAfter.localeCompare(b.notAfter));
  if (first === undefined) return '';
  return daysLeft(first, now) < 0 ? ', and the certificate has expired' : `, ${timeLeft(first, now)}`;
}

function certificatesPassage(all: CertificateSeen[], now: Date): Block[] {
  const facts = all.map((seen): Fact => ({ label: 'Certificate', value: [seen.name, ...lifeOf(seen, now)] }));
  return section('The certificates now', facts.length === 0 ? null : { type: 'facts', facts });
}

function lifeOf({ disk, served, problem }: CertificateSeen, now: Date): string[] {
  return [
    ...(served === null ? [] : [`served: ${validity(served, now)}`]),
    ...(disk === null ? [] : [`on disk: ${validity(disk, now)}`]),
    ...(problem === null ? [] : [problem]),
  ];
}
