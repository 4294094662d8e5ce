import {
  type ApprovalClaims,
  isSigned,
  isSignedToken,
  signApproval,
  signToken,
} from '../../../src/decisions/approval-links';
import { Secret } from '../../../src/lib/secret';
import { digest } from '../../support/container-builder';

const [fresh, old] = [new Secret('the-new-one'), new Secret('the-old-one')];
const CLAIMS: ApprovalClaims = {
  update: '01KAT3W8P4Q2V5X7Z9B1D3F5H7',
  container: 'git-gitea-1',
  from: digest('a'),
  to: digest('b'),
  expiresAt: '2026-01-08T03:00:00.000Z',
};

test('of several secrets the first signs, and all verify', () => {
  const token = signApproval([fresh, old], CLAIMS);
  expect(isSigned([fresh], token, CLAIMS)).toBe(true);
  expect(isSigned([old], token, CLAIMS)).toBe(false);
  expect(isSigned([fresh, old], signApproval([old], CLAIMS), CLAIMS)).toBe(true);
});

test.each<Partial<ApprovalClaims>>([
  { update: '01KAT3W8P4Q2V5X7Z9B1D3F5H8' },
  { container: 'git-gitea-2' },
  { from: digest('c') },
  { from: null },
  { to: digest('c') },
  { expiresAt: '2026-01-09T03:00:00.000Z' },
])('a token is of its claims alone, and of no other: %j', (differs) => {
  expect(isSigned([fresh], signApproval([fresh], CLAIMS), { ...CLAIMS, ...differs })).toBe(false);
});

test('what is signed for one purpose is no token of another', () => {
  const token = signToken([fresh], 'one purpose', [CLAIMS.update]);
  expect(isSignedToken([fresh], 'one purpose', token, [CLAIMS.update])).toBe(true);
  expect(isSignedToken([fresh], 'another', token, [CLAIMS.update])).toBe(false);
});
