import { decideSoakLink, readSoakLink } from '../../src/decisions/recovery-links';
import { EngineError } from '../../src/domain/errors';
import type { Journal, SoakPlan } from '../../src/domain/journal';
import type { SoakData } from '../../src/domain/soak/soak';
import type { Update } from '../../src/domain/update';
import { aDump } from '../support/fake-postgres';
import { type Forge, runForge } from '../support/forge-scene';
import { ALL_WITH_READER, CHANGED, migratingReader, READER, versionIn } from '../support/migrating-reader';

// A container that holds data fails in its soak: only the operator decides, by the link of the mail.

const MINUTE = 60_000;
const SOAK = { 'update.soak': '30m' };
let forge: Forge;
afterEach(() => forge.scene.close());

const last = (): Update => forge.scene.updates().at(-1) as Update;
const soak = () => forge.scene.store.soaks.of(last().id);
const mail = () => forge.scene.mails().at(-1);
const words = (): string => mail()?.text.replace(/\s+(!! )?/g, ' ') ?? '';
const token = (): string => /approvals\/(\S+)/.exec(mail()?.text ?? '')?.[1] ?? '';
const steps = (): string[] => last().steps.map(({ name, status }) => `${name} ${status}`);
const running = (): string[] => ALL_WITH_READER.filter((name) => forge.scene.engine.isRunning(name));

async function pass(ms: number): Promise<void> {
  await forge.scene.clock.advance(ms);
  await forge.scene.settle();
}
function decide(data: SoakData | null, name: string | null = READER) {
  return decideSoakLink(forge.scene.deps, token(), { decision: 'approve', data, name });
}
/** The new version works for an hour, as far as can be seen, and then no longer. */
async function failsAfterAnHour(migrates: boolean): Promise<string> {
  forge = migratingReader(true, { ...SOAK, 'update.soak': '2h' });
  const { engine } = forge.scene;
  const { Id } = engine.container(READER);
  let fails = false;
  if (!migrates)
    engine.publish('reader:1', { scripts: { ping: () => ({ exitCode: fails ? 1 : 0, stderr: 'panic' }) } });
  await forge.update(READER);
  expect(last().status).toBe('succeeded');
  await pass(60 * MINUTE);
  fails = true;
  if (migrates) engine.host.find(READER).image.spec.scripts = { ping: { exitCode: 1, stderr: 'panic' } };
  await pass(MINUTE);
  return Id;
}

it('asks by mail, and offers the backup with the time of data that is lost, since the schema has changed', async () => {
  const oldId = await failsAfterAnHour(true);
  expect(last().status).toBe('succeeded');
  expect(soak()).toMatchObject({ status: 'deciding', holdsData: true, schema: 'changed' });
  expect(mail()).toMatchObject({
    kind: 'soak_failed',
    subject: expect.stringContaining('decide whether the old version runs again'),
  });
  expect(words()).toContain(CHANGED);
  expect(words()).toMatch(/The data of the last 1 h 1 min \(since .*\) is lost to the application/);
  expect(readSoakLink(forge.scene.deps, token())).toMatchObject({ offered: ['backup'], state: 'open' });
  expect(forge.scene.engine.isRunning(oldId)).toBe(false);
  await pass(120 * MINUTE);
  expect(forge.scene.mails().filter(({ kind }) => kind === 'soak_failed')).toHaveLength(1);
  expect(forge.scene.store.keptContainers.all()).toMatchObject([
    { containerId: oldId, keepUntil: soak()?.decideUntil },
  ]);
});

it('runs the old version with the backup from before the update, once its name was typed', async () => {
  const oldId = await failsAfterAnHour(true);
  expect(decide('backup', 'wrong')?.outcome).toBe('name_needed');
  expect(decide('current')?.outcome).toBe('not_offered');
  expect(soak()?.choice).toBeNull();
  expect(decide(null)?.outcome).toBe('chosen');
  expect(soak()?.choice).toBe('backup');
  await forge.scene.settle();
  expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  const told = forge.scene
    .mails()
    .at(-1)
    ?.text.replace(/\s+(!! )?/g, ' ');
  expect(told).toContain('As you chose, the data was restored');
  expect(told).not.toContain('had been stopped since that backup');
  expect(last().reason).toContain('was restored, as the operator chose');
  expect(versionIn(forge)).toBe('114');
  expect(steps().slice(6)).toEqual([
    'rollback succeeded',
    'rollback_health_check skipped',
    'restore succeeded',
    'restore_health_check succeeded',
  ]);
  expect(forge.scene.engine.container(READER).Id).toBe(oldId);
  expect(running()).toEqual(ALL_WITH_READER);
  expect(decide('backup')?.outcome ?? 'closed').toBe('closed');
});

it('offers the current data where the schema is the same, and restores nothing', async () => {
  const oldId = await failsAfterAnHour(false);
  expect(soak()).toMatchObject({ status: 'deciding', schema: 'unchanged' });
  expect(words()).toContain('The old version with the current data: no data is lost.');
  expect(words()).not.toContain('backup from before the update. The data of the last');
  expect(decide(null, null)?.outcome).toBe('chosen');
  await forge.scene.settle();
  expect(last()).toMatchObject({ status: 'rolled_back' });
  expect(steps()).not.toContain('restore succeeded');
  expect(forge.scene.engine.container(READER).Id).toBe(oldId);
  expect(running()).toEqual(ALL_WITH_READER);
});

it('asks again if the schema changes between the page and the act', async () => {
  await failsAfterAnHour(false);
  expect(decide('current')?.outcome).toBe('chosen');
  forge.databases.app = aDump('app', { version: '135', tables: ['entries'] });
  await forge.scene.settle();
  expect(last().status).toBe('succeeded');
  expect(soak()).toMatchObject({ status: 'deciding', schema: 'changed', choice: null });
  expect(forge.scene.mails().filter(({ kind }) => kind === 'soak_failed')).toHaveLength(2);
});

it('leaves containers stopped that the operator has stopped since the update', async () => {
  await failsAfterAnHour(false);
  const { host } = forge.scene.engine;
  host.stop(host.find('forge-runner-1'));
  decide('current');
  await forge.scene.settle();
  expect(last().status).toBe('rolled_back');
  expect(forge.scene.engine.isRunning('forge-runner-1')).toBe(false);
});

it('a link that no one uses expires with the old container, and the new version stays', async () => {
  const oldId = await failsAfterAnHour(true);
  const link = token();
  await pass(72 * 60 * MINUTE);
  expect(readSoakLink(forge.scene.deps, link)?.state).not.toBe('open');
  expect(last()).toMatchObject({
    status: 'succeeded',
    reason: expect.stringContaining('No decision on its failure until'),
  });
  expect(forge.scene.engine.host.containers.has(oldId)).toBe(false);
});

/** Until the link expires. */
const timeLeft = (): number => Date.parse(soak()?.decideUntil ?? '') - forge.scene.clock.now().getTime();

it('ends the soak before it removes the old container, also between two looks', async () => {
  const oldId = await failsAfterAnHour(true);
  await pass(timeLeft() - 5_000);
  await pass(6_000);
  await pass(10_000);
  expect(soak()).toMatchObject({ status: 'ended', outcome: expect.stringMatching(/^No decision on its failure/) });
  expect(last().reason).not.toContain('removed externally');
  expect(forge.scene.engine.host.containers.has(oldId)).toBe(false);
});

it('runs the old version that was chosen, though the engine refuses the look at the end of the link', async () => {
  await failsAfterAnHour(true);
  await pass(timeLeft() - 5_000);
  expect(decide(null)?.outcome).toBe('chosen');
  await forge.scene.clock.advance(6_000);
  forge.scene.engine.onCall(
    'inspectContainer',
    () => {
      throw new EngineError('engine_refused', 'The engine is busy.');
    },
    { once: true },
  );
  await forge.scene.settle();
  expect(soak()?.status).toBe('chosen');
  await pass(10_000);
  expect(last()).toMatchObject({ status: 'rolled_back' });
});

it('offers nothing where the old container was removed externally, and says why', async () => {
  forge = migratingReader(true, { ...SOAK, 'update.soak': '2h' });
  const oldId = forge.scene.engine.container(READER).Id;
  await forge.update(READER);
  forge.scene.engine.host.remove(oldId);
  forge.scene.engine.host.find(READER).image.spec.scripts = { ping: { exitCode: 1, stderr: 'panic' } };
  await pass(MINUTE);
  expect(words()).toContain('The old container was removed externally, so the old version cannot be offered.');
  expect(words()).not.toContain('The old version with the');
  expect(readSoakLink(forge.scene.deps, token())).toMatchObject({ offered: [], oldIsGone: true });
  expect(decide('backup')?.outcome).toBe('not_offered');
  expect(mail()?.subject).toContain('the old version cannot run again – manual action required');
  expect(last().reason).toContain('The old version cannot run again: the mail says why.');
  await pass(49 * 60 * MINUTE);
  await pass(MINUTE);
  expect(forge.scene.mails().map(({ kind }) => kind)).not.toContain('approval_reminder');
});

it('withdraws the offer when the old container is removed externally while the link is open', async () => {
  const oldId = await failsAfterAnHour(true);
  expect(readSoakLink(forge.scene.deps, token())).toMatchObject({ offered: ['backup'] });
  forge.scene.engine.host.remove(oldId);
  await pass(MINUTE);
  expect(readSoakLink(forge.scene.deps, token())).toMatchObject({ offered: [], oldIsGone: true });
});

it('reminds once, a day before the link expires, with the time of data that is lost by then', async () => {
  await failsAfterAnHour(true);
  const reminders = () => forge.scene.mails().filter(({ kind }) => kind === 'approval_reminder');
  const link = token();
  await pass(47 * 60 * MINUTE);
  expect(reminders()).toHaveLength(0);
  await pass(2 * 60 * MINUTE);
  await pass(MINUTE);
  expect(reminders()).toHaveLength(1);
  expect(mail()?.subject).toBe(
    `[diun-pilot] ${READER}: unhealthy after its update, the link expires soon – please decide`,
  );
  expect(token()).toBe(link);
  expect(words()).toMatch(/The data of the last 50 h \d+ min \(since .*\) is lost to the application/);
  expect(words()).toContain('After that, the new version stays and the old container is removed.');
  await pass(24 * 60 * MINUTE);
  expect(reminders()).toHaveLength(1);
});

it('reminds of no link that was used, and again of one that was mailed again', async () => {
  await failsAfterAnHour(false);
  forge.databases.app = aDump('app', { version: '135', tables: ['entries'] });
  decide('current');
  await forge.scene.settle();
  await pass(40 * 60 * MINUTE);
  expect(soak()?.status).toBe('deciding');
  await pass(9 * 60 * MINUTE);
  expect(forge.scene.mails().filter(({ kind }) => kind === 'approval_reminder')).toHaveLength(1);
  decide('backup');
  await forge.scene.settle();
  expect(last().status).toBe('rolled_back');
  await pass(72 * 60 * MINUTE);
  expect(forge.scene.mails().filter(({ kind }) => kind === 'approval_reminder')).toHaveLength(1);
});

it('reminds of no link that lives for a day or less: its mail is as young', async () => {
  forge = migratingReader(true, { 'update.soak': '2h' });
  forge.scene.deps.approvalTtlMs = 24 * 60 * MINUTE;
  await forge.update(READER);
  forge.scene.engine.host.find(READER).image.spec.scripts = { ping: { exitCode: 1, stderr: 'panic' } };
  await pass(MINUTE);
  expect(soak()?.status).toBe('deciding');
  await pass(23 * 60 * MINUTE);
  expect(forge.scene.mails().map(({ kind }) => kind)).not.toContain('approval_reminder');
});

it('needs the backup of the update until the soak is over', async () => {
  await failsAfterAnHour(true);
  forge.scene.deps.retention = { daily: 1, weekly: 0, monthly: 0 };
  const { backupId } = last();
  forge.scene.deps.approvalTtlMs = 1;
  await forge.scene.clock.advance(4 * 24 * 60 * MINUTE);
  forge.scene.store.soaks.change(last().id, {
    decideUntil: new Date(forge.scene.clock.now().getTime() + MINUTE).toISOString(),
  });
  forge.scene.store.timers.ring('retention', forge.scene.clock.now().toISOString());
  await forge.scene.settle();
  expect(forge.scene.store.backups.get(backupId ?? '')?.pruned).toBeNull();
});

it('offers both where no database is concerned, the backup first', async () => {
  forge = runForge({ labels: SOAK });
  forge.scene.engine.publish('gitea:1', { ...forge.specs['gitea:1'] });
  await forge.update('forge-gitea-1');
  forge.scene.engine.host.find('forge-gitea-1').image.spec.health = 'crash-loop';
  const { store } = forge.scene;
  const journal = store.updates.journal(last().id);
  store.updates.saveJournal(last().id, { ...(journal as NonNullable<typeof journal>), fingerprint: undefined });
  await pass(MINUTE);
  expect(readSoakLink(forge.scene.deps, token())).toMatchObject({ offered: ['backup', 'current'] });
});

it('does not blame it for what another update of the set changed since, and names that update', async () => {
  const name = 'forge-gitea-1';
  forge = migratingReader(true);
  const { engine, store } = forge.scene;
  const oldId = engine.container(name).Id;
  Object.assign(engine.host.find(name).inspect.Config.Labels ?? {}, { 'update.soak': '2h' });
  engine.publish('gitea:1', { ...forge.specs['gitea:1'] });
  await forge.update(name);
  const { id } = last();
  await forge.update(READER);
  expect(versionIn(forge)).toBe('135');
  engine.host.find(name).image.spec.health = 'crash-loop';
  await pass(MINUTE);
  expect(store.soaks.of(id)).toMatchObject({ status: 'deciding', schema: 'unknown' });
  expect(words()).toContain(`database app of forge-db-1 (${READER} was updated since and changed it)`);
  expect(words()).toContain(`Updated since, with changes to the databases of the set: ${READER}.`);
  expect(words()).not.toContain(CHANGED);
  expect(readSoakLink(forge.scene.deps, token())?.offered).toEqual(['current', 'backup']);
  expect(decide('current', name)?.outcome).toBe('chosen');
  await forge.scene.settle();
  expect(store.updates.get(id)).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  expect([engine.container(name).Id, versionIn(forge)]).toEqual([oldId, '135']);
});

it.each([
  ['noted', {}],
  ['not noted by an older release', { changesSet: undefined }],
])('does not offer the backup of the project for a database whose data is not in it: %s', async (_how, noted) => {
  forge = runForge();
  const { engine, store } = forge.scene;
  const name = 'forge-redis-1';
  const labels = { ...forge.watched, ...forge.inProject, 'com.docker.compose.service': 'redis', ...SOAK };
  engine.addImage({ reference: 'redis:7' });
  const oldId = engine.runContainer({ name, image: 'redis:7', volumes: { cache: '/data' }, labels });
  engine.publish('redis:7', {});
  await forge.update(name);
  const journal = store.updates.journal(last().id) as Journal;
  store.updates.saveJournal(last().id, { ...journal, soak: { ...(journal.soak as SoakPlan), ...noted } });
  engine.files('forge-gitea-1').write('/data/repo/pushed.txt', 'work');
  engine.host.find(name).image.spec.health = 'crash-loop';
  await pass(MINUTE);
  expect(readSoakLink(forge.scene.deps, token())).toMatchObject({ soak: { holdsData: true }, offered: ['current'] });
  expect(words()).not.toContain('The old version with the backup');
  expect(decide(null, name)?.outcome).toBe('chosen');
  await forge.scene.settle();
  expect(last().status).toBe('rolled_back');
  expect(engine.files('forge-gitea-1').read('/data/repo/pushed.txt')?.toString()).toBe('work');
  expect([engine.container(name).Id, engine.isRunning(name)]).toEqual([oldId, true]);
});
