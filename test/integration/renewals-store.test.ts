import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { systemClock } from '../../src/lib/clock';
import type { Store } from '../../src/ports/store';
import { aCertificate, aRenewal, aSeen } from '../support/certificate-builder';

let folder: string;
let store: Store;
const open = (): Store => createSqliteStore({ path: join(folder, 'pilot.db'), clock: systemClock });
const reopen = (): void => {
  store.close();
  store = open();
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'renewals-'));
  store = open();
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const [early, late] = ['2026-11-23T03:30:00.000Z', '2026-11-24T03:30:00.000Z'];

it('keeps a renewal with what was seen, and its error, over a restart', () => {
  const { id } = store.renewals.insert({ reason: 'schedule', dueAt: early });
  expect(store.renewals.get(id)).toMatchObject({ status: 'queued', outcome: null, before: null, after: null });
  const ended = aRenewal({ id, createdAt: store.renewals.get(id)?.createdAt });
  store.renewals.change(id, ended);
  reopen();
  expect(store.renewals.get(id)).toEqual(ended);
  expect(store.renewals.get('nothing')).toBeNull();
});

it('hands out what is due first, and what runs', () => {
  const retry = store.renewals.insert({ reason: 'retry', dueAt: late });
  const now = store.renewals.insert({ reason: 'operator', dueAt: early });
  expect(store.renewals.queued()?.id).toBe(now.id);
  expect(store.renewals.running()).toBeNull();
  store.renewals.change(now.id, { status: 'running' });
  expect(store.renewals.running()?.id).toBe(now.id);
  expect(store.renewals.queued()?.id).toBe(retry.id);
  expect(store.renewals.list(1).map(({ id }) => id)).toEqual([now.id]);
});

it('tells which one ended last, whichever was asked for last', () => {
  const first = store.renewals.insert({ reason: 'schedule', dueAt: early });
  const second = store.renewals.insert({ reason: 'operator', dueAt: early });
  expect(store.renewals.lastFinished()).toBeNull();
  store.renewals.change(second.id, { status: 'succeeded', finishedAt: early });
  store.renewals.change(first.id, { status: 'failed', finishedAt: late });
  expect(store.renewals.lastFinished()?.id).toBe(first.id);
});

it('keeps what was seen last, in its order, and nothing of before', () => {
  store.certificates.replace([aSeen({ name: 'gone.example.org' })]);
  const seen = [aSeen(), aSeen({ name: 'a.example.org', server: null, served: null, problem: 'no answer' })];
  store.certificates.replace(seen);
  reopen();
  expect(store.certificates.list()).toEqual(seen);
});

it('remembers for each certificate the threshold of its last mail', () => {
  const { fingerprint } = aCertificate();
  expect(store.certificates.alarmedAt(fingerprint)).toBeNull();
  store.certificates.alarmed(fingerprint, 22.5);
  store.certificates.alarmed(fingerprint, 7);
  reopen();
  expect(store.certificates.alarmedAt(fingerprint)).toBe(7);
});
