import { formatTime, plural } from '../../domain/format';
import {
  type Certificate,
  type CertificateSeen,
  daysLeft,
  isNotLoaded,
  isSameCertificate,
} from '../../domain/certificates/certificate';
import { paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import type { RenderedMail } from '../rendered-mail';
import { operatorSection } from './passages/passages';

interface NearEndNews {
  seen: CertificateSeen;
  /** The one that is close to its end: on disk, or served. */
  certificate: Certificate;
  now: Date;
  publicUrl: string;
}

export function certificateNearEnd(news: NearEndNews): RenderedMail {
  const { seen, certificate, now, publicUrl } = news;
  const days = daysLeft(certificate, now);
  const ended = days < 0;
  const timeToExpiry = days === 0 ? 'less than a day' : plural(days, 'day');
  const when = ended ? 'its certificate has expired' : `its certificate expires in ${timeToExpiry}`;
  return renderLetter({
    kind: 'certificate_near_end',
    updateId: null,
    about: seen.name,
    subject: `${when} – please ${isNotLoaded(seen) ? 'load the new one' : 'renew it'}`,
    verdict: {
      tone: days < 7 ? 'alarm' : 'attention',
      word: ended ? 'Certificate expired' : 'Certificate near expiry',
    },
    heading: `${seen.name}: ${when}`,
    blocks: [
      paragraph(
        ended
          ? `The certificate expired at ${formatTime(certificate.notAfter)}. Browsers and programs have refused it since then.`
          : 'The certificate should have been renewed by now: less than a quarter of its lifetime is left. Once it expires, browsers and programs refuse it.',
      ),
      { type: 'facts', facts: factsOf(news) },
      ...howToRenew(seen),
    ],
    ...operatorSection(publicUrl, 'certificates'),
  });
}

function factsOf({ seen, certificate }: NearEndNews): { label: string; value: string | string[] }[] {
  const where = [
    ...(isSameCertificate(certificate, seen.served) ? [`served by ${seen.server ?? 'its server'}`] : []),
    ...(isSameCertificate(certificate, seen.disk) ? ['on disk'] : []),
  ];
  return [
    { label: 'Names', value: certificate.names },
    { label: 'Where', value: where.join(' and ') },
    {
      label: 'Valid',
      value: [`from ${formatTime(certificate.notBefore)}`, `until ${formatTime(certificate.notAfter)}`],
    },
    { label: 'SHA-256', value: certificate.fingerprint },
  ];
}

function howToRenew(seen: CertificateSeen): Block[] {
  const loaded = isNotLoaded(seen)
    ? 'A different certificate is on disk, but the server has not loaded it. This command loads it:'
    : 'Renew it now. If that fails, the command shows the reason:';
  return section('What to do now', paragraph(loaded), { type: 'commands', lines: ['diun-pilot renew'] });
}
