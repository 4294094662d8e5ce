import type { RenewalRecord } from '../../../src/domain/certificates/certificate';
import { renewalFailed } from '../../../src/notifications/mails/renewal-failed';
import { aCertificate, aRenewal, aSeen, NOW } from '../../support/certificate-builder';

const fresh = aCertificate({ left: 89 });

it.each<[string, Partial<RenewalRecord>, string]>([
  ['nothing changed', {}, 'the previous certificates are still served.'],
  [
    'one was renewed',
    { after: [aSeen({ disk: fresh, served: fresh })] },
    'certificates that were not renewed are served as before.',
  ],
  [
    'the server did not come back',
    { after: [aSeen({ disk: fresh, served: null, problem: 'Port 443 presents no certificate.' })] },
    'git.example.org is no longer served.',
  ],
  ['it broke off', { before: null, after: null }, 'aborted before the served certificate was checked.'],
])('tells of what was served before only what was seen: %s', (_what, differs, words) => {
  const renewal = aRenewal(differs);
  const mail = renewalFailed({
    renewal,
    retryAt: '2026-11-24T03:30:00.000Z',
    now: NOW,
    publicUrl: 'https://p.example',
  });
  for (const part of [mail.html, mail.text.replace(/\s+/g, ' ')]) {
    expect(part).toContain(words);
    expect(part.includes('certificates are still served')).toBe(words.includes('still served'));
  }
});
