import { createResticStorage } from '../../../src/adapters/storage-restic/restic-storage';

// The address of a repository is stored with each backup and answered by the API, pages and mails.
test.each([
  ['rest:https://user:geheim@host/repo', 'restic:rest:https://host/repo/a'],
  ['rest:https://user:ge@heim@host/repo', 'restic:rest:https://host/repo/a'],
  ['rest:https://host/repo@home', 'restic:rest:https://host/repo@home/a'],
])('no credentials of %s are shown', (repository, shown) => {
  expect(createResticStorage({ repository, env: {} }).urlOf('a')).toBe(shown);
});
