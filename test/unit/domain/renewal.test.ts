import { type RenewalFacts, verdictOn } from '../../../src/domain/certificates/certificate';
import { aCertificate, aSeen, NOW } from '../../support/certificate-builder';

const old = aCertificate({ left: 20 });
const fresh = aCertificate({ left: 90 });
const before = [aSeen({ disk: old, served: old })];
const renewed = [aSeen({ disk: fresh, served: fresh })];
const well = { container: 'git-certbot-1', exitCode: 0, log: [] };
const failed = { container: 'git-certbot-1', exitCode: 1, log: ['one', 'two'] };

const verdict = (facts: Partial<RenewalFacts>) =>
  verdictOn({ before, after: before, ends: [well], notLoaded: [], ...facts }, NOW);

test.each<[string, Partial<RenewalFacts>, string, string]>([
  [
    'a new one is served',
    { after: renewed },
    'renewed',
    'Renewed, and served: git.example.org (git-nginx-1, 90 days).',
  ],
  ['nothing changed', {}, 'not_due', 'No certificate is due: git.example.org has 20 days left.'],
  [
    'what lay on disk is loaded now',
    { before: [aSeen({ disk: fresh, served: old })], after: renewed },
    'renewed',
    'Renewed',
  ],
  ['nobody renews', { ends: [] }, 'nothing_to_renew', 'No container has the label renewal.role=certbot'],
  ['nobody renews, but somebody did', { ends: [], after: renewed }, 'renewed', 'Renewed'],
  ['there is none yet', { before: [], after: [] }, 'nothing_to_renew', 'there is no certificate yet'],
  [
    'certbot failed',
    { ends: [failed] },
    'failed',
    'and no certificate was renewed; the previous certificates are still served.',
  ],
  [
    'certbot failed, and the server is gone',
    { ends: [failed], after: [aSeen({ disk: old, served: null })] },
    'failed',
    'git.example.org is no longer served.',
  ],
  [
    'one of two',
    { ends: [failed], after: renewed },
    'failed',
    'only git.example.org was renewed; certificates that were not renewed are served',
  ],
  ['it did not end', { ends: [{ ...failed, exitCode: null }] }, 'failed', 'did not finish'],
  [
    'not loaded',
    { after: renewed, notLoaded: [{ server: 's', words: 'It is not served.' }] },
    'failed',
    'It is not served.',
  ],
])('%s', (_what, facts, outcome, words) => {
  const { detail, ...rest } = verdict(facts);
  expect(detail).toContain(words);
  expect(rest).toMatchObject({ outcome, error: outcome === 'failed' ? expect.anything() : null });
});

test('the log follows the sentence, and is no part of the detail', () => {
  const { detail, error } = verdict({ ends: [failed] });
  expect(error?.message).toBe(`${detail}\nThe last lines of its log:\none\ntwo`);
  expect(verdict({ ends: [{ ...failed, log: [] }] }).error?.message).toMatch(/It wrote no log\.$/);
});
