import { certificateNearEnd } from '../../../src/notifications/mails/certificate-near-end';
import { renewalFailed } from '../../../src/notifications/mails/renewal-failed';
import { aCertificate, aRenewal, aSeen, NOW } from '../../support/certificate-builder';
import { mailReader } from '../../support/mail-reader';

const PUBLIC = 'https://pilot.example.org';
const { bothSay } = mailReader();

describe('certificates', () => {
  it('a renewal that failed: what is served, why, and when it is tried again', async () => {
    const mail = renewalFailed({
      renewal: aRenewal(),
      retryAt: '2026-11-24T03:30:00.000Z',
      now: NOW,
      publicUrl: PUBLIC,
    });
    expect(mail).toMatchObject({
      kind: 'renewal_failed',
      subject: '[diun-pilot] git.example.org: renewal failed, 60 days left – please check',
    });
    await bothSay(
      mail,
      'After the failed renewal, the previous certificates are still served. The renewal is retried automatically at 2026-11-24 03:30:00 UTC.',
      'Some challenges have failed.',
      'served: 60 days left, valid until 2027-01-22',
      'diun-pilot renew',
    );
  });

  it('one near its end: which, where, and what to do', async () => {
    const certificate = aCertificate({ left: 5.5 });
    const seen = aSeen({ served: certificate });
    const mail = certificateNearEnd({ seen, certificate, now: NOW, publicUrl: PUBLIC });
    expect(mail).toMatchObject({
      kind: 'certificate_near_end',
      subject: '[diun-pilot] git.example.org: its certificate expires in 5 days – please load the new one',
    });
    await bothSay(
      mail,
      'less than a quarter of its lifetime is left',
      'served by git-nginx-1',
      certificate.fingerprint,
    );
    await bothSay(mail, 'A different certificate is on disk, but the server has not loaded it');
    const ended = aCertificate({ left: -2 });
    const last = certificateNearEnd({
      seen: aSeen({ disk: ended, served: ended }),
      certificate: ended,
      now: NOW,
      publicUrl: PUBLIC,
    });
    await bothSay(last, 'its certificate has expired', 'refused it since then', 'served by git-nginx-1 and on disk');
  });
});
