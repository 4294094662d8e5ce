import supertest from 'supertest';
import { readRestoreLink, restoreUrl, type SetTrust } from '../../src/decisions/recovery-links';
import { signToken } from '../../src/decisions/approval-links';
import type { BackupRecord } from '../../src/domain/backups/backup';
import type { RestoreRecord } from '../../src/domain/backups/restore';
import type { Update, UpdateStatus } from '../../src/domain/update';
import { APPROVAL_SECRETS, RESTORE_LINKS, startHttp, type RunningHttp } from '../support/http-app';
import { TestClock } from '../support/test-clock';
import { aNewUpdate } from '../support/update-builder';

// The second link: the mail of a failed rollback lets the operator restore the data from before, once.

let http: RunningHttp;
let clock: TestClock;
let update: Update;
let backup: BackupRecord;
let link: string;
let trust: SetTrust;

beforeEach(async () => {
  clock = new TestClock();
  trust = { distrust: null, sha256: null };
  http = await startHttp({ clock }, trust);
  const { updates, backups } = http.store;
  const asked = updates.insert(aNewUpdate({ container: 'forge-gitea-1', status: 'running' }));
  const taken = backups.insert({ project: 'forge', container: null, reason: 'update', updateId: asked.id });
  const item = {
    key: `forge/set-${taken.id}/01.dump`,
    container: 'forge-db-1',
    kind: 'database',
    name: 'app',
  } as const;
  const whole = {
    image: { reference: 'x', imageId: 'y' },
    bytes: 1,
    sha256: '',
    compression: 'none',
    verified: 'whole',
  } as const;
  backup = backups.change(taken.id, { status: 'succeeded', url: 'file:///set', items: [{ ...item, ...whole }] });
  updates.beginStep(asked.id, 'recreate');
  const finishedAt = clock.now().toISOString();
  update = updates.change(asked.id, { status: 'rollback_failed', backupId: backup.id, finishedAt });
  link = restoreUrl(RESTORE_LINKS, update, backup, true) ?? '';
});
afterEach(() => http.stop());

const open = (path = link) => supertest(http.url).get(path).set('Accept', 'text/html');
const press = (fields: Record<string, string>, path = link) =>
  supertest(http.url).post(path).set('Accept', 'text/html').type('form').send(fields);
const asked = () => http.store.restores.list(99).filter(({ updateId }) => updateId === update.id);

test('opening it tells what would be put back, and changes nothing', async () => {
  for (let i = 0; i < 20; i++) await open().expect(200);
  const { text } = await open();
  // On a phone, what is decided and what it costs are on the first screen.
  expect(text).toMatch(
    /Restore the data of forge-gitea-1\?[\s\S]*Data written since then[\s\S]*Restore it now[\s\S]*Leave it as it is[\s\S]*The backup that would be restored/,
  );
  expect(text).toContain(backup.id);
  expect(asked()).toEqual([]);
});

test('the button restores once, when the name of the container is typed', async () => {
  await press({ decision: 'approve' }).expect(422);
  await press({ decision: 'approve', name: 'forge-db-1' }).expect(422);
  await press({ decision: 'decline' }).expect(200);
  expect(asked()).toEqual([]);
  const many = await Promise.all(
    Array.from({ length: 20 }, () => press({ decision: 'approve', name: 'forge-gitea-1' })),
  );
  expect(many.map(({ status }) => status).sort()).toEqual([303, ...Array.from({ length: 19 }, () => 410)]);
  expect(asked()).toMatchObject([{ status: 'queued', backupId: backup.id, folder: `forge/set-${backup.id}` }]);
  const followed = await open().expect(200);
  expect(followed.text).toContain('It starts as soon as nothing else runs.');
  expect(followed.headers.refresh).toBe('10');
});

test('a set that is not authenticated is shown as that, and the typed name trusts the manifest that was read', async () => {
  Object.assign(trust, { distrust: 'its manifest has no MAC', sha256: 'ab'.repeat(32) });
  const { text } = await open().expect(200);
  expect(text).toMatch(/not authenticated: its manifest has no MAC.*By typing the name below/);
  await press({ decision: 'approve' }).expect(422);
  const manifest = /name="manifest" value="([0-9a-f]+)"/.exec((await open()).text)?.[1] ?? '';
  await press({ decision: 'approve', name: 'forge-gitea-1', manifest }).expect(303);
  expect(asked()).toMatchObject([{ trustedManifest: 'ab'.repeat(32) }]);
});

test.each(['', 'cd'.repeat(32)])(
  'a manifest that came after the page was read is not trusted (%s)',
  async (manifest) => {
    Object.assign(trust, { distrust: 'its manifest has no MAC', sha256: 'ab'.repeat(32) });
    const fields = { decision: 'approve', name: 'forge-gitea-1', ...(manifest === '' ? {} : { manifest }) };
    const { text } = await press(fields).expect(409);
    expect(text).toContain('This backup is not authenticated: its manifest has no MAC');
    expect(asked()).toEqual([]);
  },
);

test('its buttons are limited as those of an approval are, for each link by itself', async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 121; i++) statuses.push((await press({ decision: 'decline' })).status);
  expect(statuses.slice(-2)).toEqual([200, 429]);
  await open().expect(200);
  await press({ decision: 'approve', name: 'forge-gitea-1' }).expect(429);
  expect(asked()).toEqual([]);
});

test('it ends, and is of its own purpose: no approval, no other update, no altered one', async () => {
  const last = link.at(-1) === 'A' ? 'B' : 'A';
  await open(`${link.slice(0, -1)}${last}`).expect(404);
  await press({ decision: 'approve', name: 'forge-gitea-1' }, `${link.slice(0, -1)}${last}`).expect(404);
  const ofAnApproval = signToken(APPROVAL_SECRETS, 'diun-pilot approval 1', [update.id, backup.id, update.finishedAt]);
  const other = http.store.updates.insert(aNewUpdate({ container: 'forge-gitea-1', status: 'running' }));
  http.store.updates.beginStep(other.id, 'recreate');
  const { finishedAt, backupId } = update;
  http.store.updates.change(other.id, { status: 'rollback_failed', backupId, finishedAt });
  for (const foreign of [`/approvals/${ofAnApproval}`, link.replace(update.id, other.id)]) {
    await open(foreign).expect(404);
    await press({ decision: 'approve', name: 'forge-gitea-1' }, foreign).expect(404);
  }
  await clock.sleep(RESTORE_LINKS.approvalTtlMs + 1);
  const { text } = await open().expect(410);
  expect(text).toContain(`diun-pilot restore ${backup.id}`);
  await press({ decision: 'approve', name: 'forge-gitea-1' }).expect(410);
  expect(asked()).toEqual([]);
});

test('a changed PILOT_APPROVAL_TTL changes until when it is valid, and keeps it a link', async () => {
  const { store } = http;
  const token = link.split('/').at(-1) ?? '';
  const read = (factor: number) =>
    readRestoreLink({ ...RESTORE_LINKS, approvalTtlMs: factor * RESTORE_LINKS.approvalTtlMs, store, clock }, token);
  await clock.sleep(RESTORE_LINKS.approvalTtlMs + 1);
  expect([0.5, 1, 2].map((factor) => read(factor)?.state)).toEqual(['expired', 'expired', 'open']);
});

/** As the command line does it. */
function restoreByCommand(folder: string, target: string | null = null): RestoreRecord {
  const restore = http.store.restores.insert({
    ...{ backupId: 'b', folder, url: 'file:///b', target },
    updateId: null,
  });
  return http.store.restores.change(restore.id, { status: 'succeeded', finishedAt: clock.now().toISOString() });
}

test.each([
  ['the same set', 'forge/set', null],
  ['a set of another project', 'other/set', 'forge'],
])('a restore by the command since (%s) closes it, and the page shows that restore', async (_, folder, target) => {
  const { id } = restoreByCommand(folder, target);
  http.store.restores.change(id, { detail: 'The data of Friday is restored.' });
  const { text } = await open().expect(200);
  expect(text).toContain('The data of Friday is restored.');
  expect(text).not.toContain('Nothing has been restored');
  await press({ decision: 'approve', name: 'forge-gitea-1' }).expect(410);
  expect(asked()).toEqual([]);
});

test('a restore into another project, or from before the failed update, leaves it open', async () => {
  restoreByCommand('other/set');
  restoreByCommand('forge/set', 'trial');
  const earlier = new Date(clock.now().getTime() - 1).toISOString();
  http.store.restores.change(restoreByCommand('forge/set').id, { finishedAt: earlier });
  expect((await open().expect(200)).text).toContain('Nothing has been restored');
});

function laterUpdate(status: UpdateStatus, container = 'forge-gitea-1'): void {
  const later = http.store.updates.insert(aNewUpdate({ container, status: 'running' }));
  http.store.updates.change(later.id, { status, finishedAt: new Date(clock.now().getTime() + 1).toISOString() });
}

test.each(['succeeded', 'rolled_back'] as const)('a later update that ended %s closes it', async (status) => {
  laterUpdate(status);
  laterUpdate('failed');
  const { text } = await open().expect(410);
  expect(text).toMatch(/no longer valid[^]*A later update of forge-gitea-1/);
  expect(text).toContain(`diun-pilot restore ${backup.id}`);
  expect(text).not.toMatch(/Decision required|does not work either/);
  await press({ decision: 'approve', name: 'forge-gitea-1' }).expect(410);
  expect(asked()).toEqual([]);
});

test('later updates that repaired nothing, or another container, leave it open', async () => {
  laterUpdate('failed');
  laterUpdate('rollback_failed');
  laterUpdate('succeeded', 'forge-runner-1');
  await open().expect(200);
  await press({ decision: 'approve', name: 'forge-gitea-1' }).expect(303);
});

test('of data that the rollback has restored it does not say that nothing has been restored', async () => {
  http.store.updates.beginStep(update.id, 'restore');
  http.store.updates.endStep(update.id, 'restore', 'succeeded', 'restored');
  const { text } = await open().expect(200);
  expect(text).toContain('Its rollback has restored this backup before.');
  expect(text).not.toContain('Nothing has been restored');
});

test('there is none where nothing can be restored', () => {
  expect(restoreUrl(RESTORE_LINKS, { ...update, status: 'rolled_back' }, backup, true)).toBeNull();
  expect(restoreUrl(RESTORE_LINKS, update, { ...backup, status: 'failed' }, true)).toBeNull();
  expect(restoreUrl(RESTORE_LINKS, update, null, true)).toBeNull();
  expect(restoreUrl(RESTORE_LINKS, { ...update, kind: 'service' }, backup, true)).toBeNull();
  expect(restoreUrl(RESTORE_LINKS, update, backup, false)).toBeNull();
});
