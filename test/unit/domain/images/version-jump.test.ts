import fc from 'fast-check';
import { isHigherVersion, isJumpWithin, versionJump } from '../../../../src/domain/images/version-jump';

describe('the jump from one tag to another', () => {
  test.each([
    ['latest', 'latest', 'digest'],
    ['1.27.3', '1.27.3', 'digest'],
    ['1.27.3', '1.27.4', 'patch'],
    ['1.27.9', '1.27.10', 'patch'],
    ['1.27.3', '1.28.0', 'minor'],
    ['1.27.3', '2.0.0', 'major'],
    ['0.27.3', '0.28.0', 'major'],
    ['v0.9', 'v0.10', 'major'],
    ['0.27.3', '0.27.4', 'patch'],
    ['0.27.3-rc.1', '0.28.0-rc.1', 'major'],
    ['0.9.0', '1.0.0', 'major'],
    ['1.2.3.4', '1.2.3.5', 'patch'],
    ['v1.2.3', 'v1.2.4', 'patch'],
    ['release-1.2.3', 'release-1.3.0', 'minor'],
    ['1.27', '1.28', 'minor'],
    ['15.6', '15.7', 'minor'],
    ['15.6', '16.1', 'major'],
    ['15', '16', 'major'],
    ['99999999999999999998', '99999999999999999999', 'major'],
    ['1.27.3-alpine', '1.27.4-alpine', 'patch'],
    ['1.24.5-rootless', '1.25.0-rootless', 'minor'],
    ['16.4-bookworm', '17.0-bookworm', 'major'],
    ['1.27.3-alpine3.20', '1.27.4-alpine3.20', 'patch'],
    ['1.27.3-alpine3.20', '1.27.4-alpine3.21', 'minor'],
    ['1.27.3-alpine3.20', '1.27.3-alpine3.21', 'minor'],
    ['1.27.3-alpine3.20-slim', '1.27.3-alpine4.0-slim', 'major'],
    ['1.27.3-alpine3.21', '1.27.4-alpine3.20', 'minor'],
    ['1.2.3-ls4', '1.2.3-ls5', 'patch'],
    ['1.2.3-ls40', '1.2.4-ls1', 'patch'],
    ['1.2.3-debian-12-r4', '1.2.3-debian-12-r5', 'patch'],
    ['1.2.3-4', '1.2.3-5', 'major'],
  ])('%s → %s is %s', (from, to, jump) => {
    expect(versionJump(from, to).jump).toBe(jump);
  });

  test.each([
    ['1.24.0-rc0', '1.24.0-rc1', 'patch'],
    ['1.24.0-rc9', '1.24.0-rc10', 'patch'],
    ['1.24.0-beta.2', '1.24.0-rc.1', 'patch'],
    ['3.13.0a4', '3.13.0b1', 'patch'],
    ['1.24.0-rc1', '1.24.0', 'patch'],
    ['1.24.0-rc0-rootless', '1.24.0-rootless', 'patch'],
    ['17rc1', '17', 'patch'],
    ['1.24.0-rc1', '1.25.0-rc0', 'minor'],
    ['17beta1', '18beta1', 'major'],
  ])('pre-release %s → %s is %s', (from, to, jump) => {
    expect(versionJump(from, to).jump).toBe(jump);
  });

  test.each([
    ['2024.5.1', '2024.5.2', 'patch'],
    ['2024.5.1', '2024.6.0', 'minor'],
    ['2024.05.01', '2024.5.2', 'patch'],
    ['2024-05-01', '2024-05-02', 'minor'],
    ['2024-05-01', '2024-06-01', 'minor'],
    ['2024-05-01', '2025-01-01', 'major'],
    ['20240501', '20240601', 'minor'],
    ['20240501-slim', '20240601-slim', 'minor'],
    ['RELEASE.2024-05-01T01-11-10Z', 'RELEASE.2024-05-01T02-00-00Z', 'minor'],
  ])('date %s → %s is %s', (from, to, jump) => {
    expect(versionJump(from, to).jump).toBe(jump);
  });

  test.each([
    ['1.27.4', '1.27.3'],
    ['2.0.0', '1.99.0'],
    ['16', '15'],
    ['1.24.0-rc1', '1.24.0-rc0'],
    ['1.24.0-rc1', '1.24.0-beta9'],
    ['1.27.3-alpine3.21', '1.27.3-alpine3.20'],
    ['1.2.3-ls5', '1.2.3-ls4'],
    ['2024-05-02', '2024-05-01'],
  ])('%s → %s is a downgrade', (from, to) => {
    expect(versionJump(from, to)).toEqual({ jump: 'downgrade', reason: `${to} is older than ${from}` });
  });

  test.each([
    ['1.27', '1.27.4', 'floating tag'],
    ['1.27.4', '1.28', 'floating tag'],
    ['1.27.3', '1.27.4-alpine', 'variants'],
    ['1.27.3-alpine', '1.27.4-alpine3.21', 'variants'],
    ['1.27.3-bookworm', '1.27.4-trixie', 'variants'],
    ['3.9-temurin-17', '3.9-temurin-21', 'variants'],
    ['2.17.2-pg16', '2.17.2-pg17', 'variants'],
    ['v1.2.3', '1.2.4', 'begin differently'],
    ['1.24.0', '1.25.0-rc0', 'pre-release'],
    ['1.24.0-rc1', '1.24.1', 'its own final release'],
    ['2024-05-01', '20240502', 'dates'],
    ['20240501', '3', 'date'],
    ['latest', '1.27.4', 'not a version'],
    ['stable', 'latest', 'not a version'],
    ['1.27.4', 'stable', 'not a version'],
    ['alpine3.20', 'alpine3.21', 'not a version'],
    ['3b71234', '3b81234', 'not a version'],
    ['1.02', '1.2', 'two spellings'],
  ])('%s and %s are not comparable, and the reason says why', (from, to, why) => {
    const { jump, reason } = versionJump(from, to);
    expect(jump).toBe('incomparable');
    expect(reason).toContain(why);
  });

  test('a word like dev is a variant, with a number a pre-release', () => {
    expect(versionJump('1.2.3-dev', '1.2.4-dev').jump).toBe('patch');
    expect(versionJump('1.2.3-dev', '1.2.3').jump).toBe('incomparable');
    expect(versionJump('1.2.3-dev.4', '1.2.3').jump).toBe('patch');
  });

  test('is never an update in both directions, for any two tags', () => {
    const number = fc.nat({ max: 30 }).map(String);
    const tag = fc
      .tuple(
        fc.constantFrom('', 'v'),
        fc.array(number, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', '-rc1', 'rc2', '-alpine', '-alpine3.20', '-alpine3.21', '-r1', '-r2', '-3'),
      )
      .map(([prefix, numbers, suffix]) => `${prefix}${numbers.join('.')}${suffix}`);
    const any = fc.oneof(tag, fc.stringMatching(/^\w[\w.-]{0,20}$/));
    fc.assert(
      fc.property(any, any, (one, other) => {
        fc.pre(one !== other);
        expect(isHigherVersion(one, other) && isHigherVersion(other, one)).toBe(false);
        expect(versionJump(one, other).jump).not.toBe('digest');
      }),
      { numRuns: 1000 },
    );
  });
});

test('a jump is within an allowance of its own size or larger', () => {
  expect(isJumpWithin('minor', 'minor')).toBe(true);
  expect(isJumpWithin('digest', 'patch')).toBe(true);
  expect(isJumpWithin('major', 'minor')).toBe(false);
});

test('a tag that cannot be compared is not higher', () => {
  expect(isHigherVersion('1.28', '1.27')).toBe(true);
  expect(isHigherVersion('1.27', '1.27')).toBe(false);
  expect(isHigherVersion('latest', '1.27')).toBe(false);
});
