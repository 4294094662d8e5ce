import { newerTags } from '../../../../src/domain/decision/newer-tags';
import { aContainer } from '../../../support/container-builder';

const TAGS = ['1.27.3', '1.27.4', '1.28.0', '1.28.1-alpine', '2.0.0', '2.1.0-rc1', 'latest', '1.26.9', '3.0.0'];
const found = (labels: Record<string, string>, tags = TAGS): string[] =>
  newerTags(aContainer({ labels: { 'diun.watch_repo': 'true', ...labels } }), tags);

test('a manual container may be moved to the highest version', () => {
  expect(found({})).toEqual(['3.0.0']);
});

test('an automatic one to the highest version, which is asked for, and to the highest that goes by itself', () => {
  expect(found({ 'update.policy': 'automatic' })).toEqual(['3.0.0', '1.28.0']);
  expect(found({ 'update.policy': 'automatic', 'update.allow': 'patch' })).toEqual(['3.0.0', '1.27.4']);
  expect(found({ 'update.policy': 'automatic', 'update.allow': 'major' })).toEqual(['3.0.0']);
});

test('past a refused one to the highest of a smaller step, and never to a lower one of the same', () => {
  const past = (refused: string[], labels: Record<string, string> = {}): string[] =>
    newerTags(aContainer({ labels: { 'diun.watch_repo': 'true', ...labels } }), TAGS, refused);
  expect(past(['3.0.0'])).toEqual(['1.28.0']);
  expect(past(['3.0.0', '1.28.0'])).toEqual(['1.27.4']);
  expect(past(['3.0.0', '1.28.0', '1.27.4'])).toEqual([]);
  expect(past(['2.0.0'])).toEqual(['3.0.0']);
  expect(past(['1.28.0'], { 'update.policy': 'automatic' })).toEqual(['3.0.0', '1.27.4']);
});

test('only to tags that Diun’s filters let through', () => {
  expect(found({ 'diun.include_tags': '^1\\.' })).toEqual(['1.28.0']);
  expect(found({ 'diun.exclude_tags': '^3;^2' })).toEqual(['1.28.0']);
  expect(found({ 'diun.include_tags': '(' })).toEqual([]);
});

test.each([
  '^3[[:digit:]]*\\.',
  '^3[.[:digit:]]*$',
  '\\A3',
  '^3.*\\z',
  '^\\pN',
  '^\\PL',
  '\\Q3.0\\E',
  '\\x{33}',
  '[]3]',
  '[^]1]',
])('a pattern that only Go reads so, %s, is not used: nothing passes it', (pattern) => {
  expect(found({ 'diun.exclude_tags': pattern })).toEqual([]);
  expect(found({ 'diun.include_tags': pattern })).toEqual([]);
});

test.each(['^3\\.', '^[3]', '\\[\\]|^3', '\\\\A|^3', '[[]|^3', '^\\x33'])(
  'the pattern %s is the same in Go',
  (pattern) => {
    expect(found({ 'diun.include_tags': pattern })).toEqual(['3.0.0']);
  },
);

test('to none without diun.watch_repo=true, below or beside its own version, or from a tag that is none', () => {
  expect(newerTags(aContainer(), TAGS)).toEqual([]);
  expect(found({ 'diun.watch_repo': 'false' })).toEqual([]);
  expect(found({}, ['1.27.3', '1.27.2', '1.27.4-alpine', '1.28'])).toEqual([]);
  const floating = aContainer({ reference: 'nginx:stable', labels: { 'diun.watch_repo': 'true' } });
  expect(newerTags(floating, TAGS)).toEqual([]);
});

test('looks through a repository of twenty thousand tags at once, a pattern without end included', () => {
  const many = Array.from({ length: 20_000 }, (_, at) => `1.${at}.0`);
  expect(found({ 'diun.include_tags': '^1\\.\\d+\\.0$' }, many)).toEqual(['1.19999.0']);
  expect(found({ 'diun.include_tags': '(1+)+x$' }, [...many, `1.28.${'1'.repeat(60)}`])).toEqual([]);
});
