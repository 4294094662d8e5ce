import type { Certificate, CertificateSeen, RenewalRecord } from '../../src/domain/certificates/certificate';

export const NOW = new Date('2026-11-23T03:30:00.000Z');
const DAY_MS = 86_400_000;

/** Of a lifetime of 90 days, `left` are left at `now`. */
export function aCertificate({
  left = 60,
  lifetime = 90,
  now = NOW,
  ...differs
}: Partial<Certificate> & Span = {}): Certificate {
  const notAfter = new Date(now.getTime() + left * DAY_MS);
  return {
    fingerprint: `${left}`.replace(/\D/g, 'e').repeat(64).slice(0, 64),
    names: ['git.example.org'],
    notBefore: new Date(notAfter.getTime() - lifetime * DAY_MS).toISOString(),
    notAfter: notAfter.toISOString(),
    ...differs,
  };
}

interface Span {
  left?: number;
  lifetime?: number;
  now?: Date;
}

/** Served as it is on disk. */
export function aSeen(differs: Partial<CertificateSeen> = {}): CertificateSeen {
  const disk = aCertificate();
  return {
    name: 'git.example.org',
    project: 'git',
    server: 'git-nginx-1',
    disk,
    served: disk,
    problem: null,
    ...differs,
  };
}

export function aRenewal(differs: Partial<RenewalRecord> = {}): RenewalRecord {
  const at = NOW.toISOString();
  return {
    id: '01KAT3W8P4Q2V5X7Z9B1D3F5H9',
    reason: 'schedule',
    status: 'failed',
    outcome: 'failed',
    detail: 'certbot (git-certbot-1) ended with exit code 1, and no certificate was renewed.',
    createdAt: at,
    dueAt: at,
    startedAt: at,
    finishedAt: at,
    before: [aSeen()],
    after: [aSeen()],
    error: {
      code: 'renewal_failed',
      message:
        'certbot (git-certbot-1) ended with exit code 1, and no certificate was renewed.\nThe last lines of its log:\nSome challenges have failed.',
    },
    ...differs,
  };
}
