import { candidates } from '../../../../src/domain/decision/candidates';
import type { Container } from '../../../../src/domain/container';
import { aContainer, digest } from '../../../support/container-builder';
import { diunRequest } from '../../../support/diun-requests';

const TARGET = { reference: 'docker.io/library/nginx:1.27.3', digest: digest('b') };
const names = (containers: Container[], target = TARGET): string[] =>
  candidates(containers, target).map(({ name }) => name);

test('all watched containers of the tag are concerned, and none of another tag, which requested no other', () => {
  const containers = [
    aContainer({ name: 'one' }),
    aContainer({ name: 'two', reference: 'docker.io/nginx:1.27.3' }),
    aContainer({ name: 'other-tag', reference: 'nginx:1.26.2' }),
    aContainer({ name: 'unwatched', read: { watched: false } }),
    aContainer({ name: 'other-repository', reference: 'bitnami/nginx:1.27.3' }),
    aContainer({ name: 'built-here', reference: 'site-app', repoDigests: [] }),
  ];
  expect(names(containers)).toEqual(['one', 'two']);
});

test('a container created by digest or image id is told why it is not updated', () => {
  const containers = [
    aContainer({ name: 'by-digest', reference: `nginx@${digest('a')}` }),
    aContainer({ name: 'by-id', reference: digest('0') }),
    aContainer({ name: 'by-short-id', reference: '000000000000' }),
    aContainer({ name: 'by-id-of-another', reference: digest('0'), repoDigests: [`redis@${digest('a')}`] }),
  ];
  expect(names(containers)).toEqual(['by-digest', 'by-id', 'by-short-id']);
});

test('the start of a container with another tag is no news for those that never asked for other tags', () => {
  const body = diunRequest('new-first-sight-of-a-running-tag').body;
  const { image, digest: recorded } = JSON.parse(body) as { image: string; digest: string };
  const repository = '127.0.0.1:5000/library/nginx';
  const repoDigests = [`${repository}@${recorded}`];
  const containers = [
    aContainer({ name: 'started', reference: image, repoDigests }),
    aContainer({ name: 'silent', reference: `${repository}:1.27.5` }),
    aContainer({ name: 'asked', reference: `${repository}:1.27.4`, read: { watchRepo: true } }),
  ];
  expect(names(containers, { reference: image, digest: recorded })).toEqual(['started', 'asked']);
});

test('another tag goes to the container that watches the repository, not to those beside it', () => {
  const target = { ...TARGET, reference: 'nginx:1.28.0' };
  const silent = aContainer({ name: 'silent' });
  expect(names([silent, aContainer({ name: 'asks', read: { watchRepo: true } })], target)).toEqual(['asks']);
  expect(names([silent], target)).toEqual(['silent']);
});

test('an image that is no reference is an error', () => {
  expect(() => names([], { ...TARGET, reference: 'A B' })).toThrow(
    expect.objectContaining({ code: 'invalid_reference' }),
  );
});
