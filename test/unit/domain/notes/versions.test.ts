import {
  between,
  compareVersions,
  reaches,
  readVersion,
  type Version,
  versionOf,
} from '../../../../src/domain/notes/versions';
import type { Release } from '../../../../src/domain/notes/release-notes';

const version = (text: string): Version => readVersion(text) as Version;
const release = (tag: string, fields: Partial<Release> = {}): Release => ({
  ...{ tag, name: '', url: null, text: '', prerelease: false },
  ...fields,
});
const tags = (list: readonly Release[]): string[] => list.map(({ tag }) => tag);
const choose = (list: string[], from: string, to: string): string[] =>
  tags(
    between(
      list.map((tag) => release(tag)),
      version(from),
      version(to),
    ).releases,
  );

describe('a version is read in every spelling', () => {
  test.each([
    ['v1.25.0', '', [1n, 25n, 0n]],
    ['1.25.0', '', [1n, 25n, 0n]],
    ['release-1.25.0', 'release-', [1n, 25n, 0n]],
    ['release/1.25', 'release/', [1n, 25n]],
    ['app@1.2.3', 'app@', [1n, 2n, 3n]],
    ['helm-chart-5.0.0', 'helm-chart-', [5n, 0n, 0n]],
    ['REL_15_4', 'rel_', [15n, 4n]],
    ['version-1.2.3', '', [1n, 2n, 3n]],
    ['1.27.3-alpine3.20', '', [1n, 27n, 3n]],
    ['1.2.3+build.5', '', [1n, 2n, 3n]],
  ])('%s', (text, prefix, numbers) => {
    expect(readVersion(text)).toMatchObject({ prefix, numbers });
  });
  test.each(['latest', 'stable', 'nightly', '', 'main'])('%s is none', (text) => {
    expect(readVersion(text)).toBeNull();
  });
});

test('versions are compared by their numbers, pre-releases before their release', () => {
  const ordered = ['1.9.0', '1.10.0-alpha.1', '1.10.0-rc.1', '1.10.0-rc.2', 'v1.10.0', '1.10.1', '2.0.0'];
  for (const [at, one] of ordered.entries())
    for (const [where, other] of ordered.entries())
      expect(Math.sign(compareVersions(version(one), version(other)))).toBe(Math.sign(at - where));
  expect(compareVersions(version('1.27'), version('1.27.0'))).toBe(0);
  expect(compareVersions(version('1.2.3-r5'), version('1.2.3'))).toBe(0);
  expect(compareVersions(version('1.2.3-ls45'), version('1.2.3-ls46'))).toBeLessThan(0);
});

describe('the version of an image', () => {
  test.each([
    ['a tag that names all of it counts', { tag: '1.27.3', label: '9.9.9' }, '1.27.3'],
    ['the label says what a floating tag does not', { tag: '1.27', label: '1.27.5' }, '1.27.5'],
    ['the label says what a moving tag does not', { tag: 'latest', label: 'v2.0.1' }, 'v2.0.1'],
    ['a label that contradicts the tag is that of the base image', { tag: '1.27', label: '24.04' }, '1.27'],
    ['a tag alone', { tag: '1.27', label: null }, '1.27'],
  ])('%s', (_, words, expected) => {
    expect(versionOf(words)?.version.text).toBe(expected);
  });
  test('nothing says it', () => expect(versionOf({ tag: 'latest', label: 'stable' })).toBeNull());
});

describe('between two versions', () => {
  const list = ['v1.27.0', 'v1.26.2', 'v1.25.5', 'v1.26.1', 'v1.26.0', 'v1.25.4', 'v1.25.0'];
  test('every release after the old one up to the new one, newest first, whatever the order of the list', () => {
    expect(choose(list, '1.25.4', '1.26.2')).toEqual(['v1.26.2', 'v1.26.1', 'v1.26.0', 'v1.25.5']);
    expect(choose(list, 'v1.26.1', 'v1.26.2')).toEqual(['v1.26.2']);
  });
  test('pre-releases are left out unless they are the target', () => {
    const all = [release('v2.0.0'), release('v2.0.0-rc.1'), release('v1.9.0', { prerelease: true }), release('v1.8.0')];
    expect(tags(between(all, version('1.8.0'), version('2.0.0')).releases)).toEqual(['v2.0.0']);
    expect(tags(between(all, version('1.8.0'), version('2.0.0-rc.1')).releases)).toEqual(['v2.0.0-rc.1']);
  });
  test('a missing release of the target is noticed', () => {
    const all = [release('v1.1.0'), release('v1.0.0')];
    expect(between(all, version('1.0.0'), version('1.2.0'))).toEqual({
      releases: [release('v1.1.0')],
      hasTarget: false,
    });
    expect(between(all, version('1.0.0'), version('1.1.0')).hasTarget).toBe(true);
  });
  test('of a repository with several things only the one with the prefix of the target', () => {
    const several = ['chart-2.0.0', 'v1.1.0', 'chart-1.1.0', 'v1.0.5', 'chart-1.0.5', 'v1.0.0'];
    expect(choose(several, '1.0.0', '1.1.0')).toEqual(['v1.1.0', 'v1.0.5']);
    expect(choose(['app@1.1.0', 'lib@1.1.1', 'app@1.0.1', 'lib@1.0.9'], '1.0.0', '1.1.0')).toEqual([
      'app@1.1.0',
      'app@1.0.1',
    ]);
  });
  test('a floating target has all releases of its number', () => {
    expect(choose(['1.27.2', '1.27.1', '1.27.0', '1.26.9'], '1.26', '1.27')).toEqual([
      '1.27.2',
      '1.27.1',
      '1.27.0',
      '1.26.9',
    ]);
  });
});

test('older pages are read until the old version, or what is older, was seen', () => {
  const enough = (list: string[]): boolean =>
    reaches(
      list.map((tag) => release(tag)),
      version('1.25.0'),
      version('1.27.0'),
    );
  expect(enough([])).toBe(false);
  expect(enough(['v1.27.0', 'v1.26.0'])).toBe(false);
  expect(enough(['v1.27.0', 'chart-1.25.0'])).toBe(false);
  expect(enough(['v1.27.0', 'v1.25.0'])).toBe(true);
  expect(enough(['v1.24.9'])).toBe(true);
  expect(enough(['nightly'])).toBe(false);
});
