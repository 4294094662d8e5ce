import { readFileSync } from 'node:fs';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { runPilot } from '../support/e2e-cli';
import { AUTOMATIC, nginxService, SITE } from '../support/e2e-services';
import { imageNamed, openStage, startedAt } from '../support/e2e-stage';
import { announce, endOf, endOfUpdate, mailsAbout } from '../support/e2e-updates';

// What waits for a person, and what the person types.
const stage = openStage();
const MANUAL = { ...AUTOMATIC, 'update.policy': 'manual' };

let web: ComposeProject;
let pilot: Pilot;

const reference = (tag: string): string => stage.lab.registry.reference(`manual/nginx:${tag}`);
const publish = async (tag: string, mark: string): Promise<string> => {
  const { registry, images } = stage.lab;
  return registry.publish(await stage.lab.variantOf(images.NGINX_GOOD_2, mark), `manual/nginx:${tag}`);
};
const cli = (...args: string[]) => runPilot(stage.lab, pilot.dataDir, args);

beforeAll(async () => {
  const { registry, images } = stage.lab;
  for (const tag of ['stable', '1.27.3']) await registry.publishAndPull(images.NGINX_GOOD_1, `manual/nginx:${tag}`);
  const kept = { 'backup.kind': 'files', 'backup.paths': '/etc/nginx/conf.d' };
  const services = {
    web: nginxService(reference('stable'), { ...MANUAL, ...kept }),
    pinned: nginxService(reference('1.27.3'), MANUAL),
  };
  web = await stage.project('manual', services, { files: SITE });
  pilot = await stage.pilot();
});

it('waits for approval, and the mail says so', async () => {
  const before = await web.container('web');
  const digest = await publish('stable', 'manual-1');
  await announce(pilot, reference('stable'), digest);
  const name = await web.containerName('web');
  const update = await endOfUpdate(pilot, name, digest);
  expect(update).toMatchObject({ status: 'awaiting_approval', approval: { status: 'waiting' }, steps: [] });
  expect(await mailsAbout(pilot, name, 1)).toEqual([expect.stringContaining('critical update available')]);
  const after = await web.container('web');
  expect([after['Id'], startedAt(after)]).toEqual([before['Id'], startedAt(before)]);
});

it('is started by `diun-pilot update` while the service runs: the service does it, the command shows it', async () => {
  const name = await web.containerName('web');
  const { code, stdout, stderr } = await cli('update', name);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/Backup: succeeded[\s\S]*Pull: succeeded[\s\S]*Cleanup: succeeded/);
  expect(stdout).toContain(`Succeeded: ${name} runs ${reference('stable')}`);
  const updates = await pilot.updates(`?container=${name}`);
  expect(updates).toHaveLength(1);
  expect(updates[0]).toMatchObject({
    status: 'succeeded',
    approval: { status: 'approved' },
    backup: { bytes: expect.any(Number) },
  });
  expect((await mailsAbout(pilot, name, 2))[1]).toContain('the new version is healthy');
  expect((await web.container('web'))['Image']).toBe(await imageNamed(stage.lab, reference('stable')));
  expect(pilot.log()).toContainEqual(expect.objectContaining({ message: 'update succeeded', update: updates[0].id }));
});

it('says at once that there is nothing to do, or no such container', async () => {
  const name = await web.containerName('web');
  const again = await cli('update', name);
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('nothing to do')]);
  const unknown = await cli('update', 'nobody');
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('There is no container nobody')]);
});

it('POST /updates with another tag goes there, and the compose file names it', async () => {
  const before = readFileSync(web.file, 'utf8');
  const digest = await publish('1.27.4', 'manual-2');
  const name = await web.containerName('pinned');
  const body = JSON.stringify({ container: name, image: reference('1.27.4') });
  const answer = await pilot.request('/updates', { method: 'POST', body });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  const update = await endOf(pilot, id);
  expect(update).toMatchObject({
    status: 'succeeded',
    source: 'operator',
    to: { reference: reference('1.27.4'), digest },
  });
  expect(update['followUp']).toBeNull();
  expect(readFileSync(web.file, 'utf8')).toBe(before.replace(reference('1.27.3'), reference('1.27.4')));
  expect(await mailsAbout(pilot, name, 1)).toEqual([expect.stringContaining('the new version is healthy')]);
  const mail = (await pilot.mails()).find(({ subject }) => subject?.includes(name));
  expect(mail?.text?.replace(/\s+/g, ' ')).toContain(`is now "image: ${reference('1.27.4')}"`);
  expect((await web.container('pinned'))['Config'].Image).toBe(reference('1.27.4'));
});

it('`check`, `backup`, `backups` and `updates` print what is', async () => {
  const name = await web.containerName('web');
  // `check` judges every label that it sees, and other files of tests have wrong ones beside this.
  const ours = await stage.seeing(web.name);
  const check = await runPilot(ours.lab, pilot.dataDir, ['check']);
  expect([check.code, check.stdout]).toEqual([0, expect.stringMatching(/ok +Docker +Engine \d/)]);
  expect(check.stdout).toMatch(new RegExp(`${name}[\\s\\S]*every update waits for approval`));
  expect(check.stdout).toMatch(/Diun +last notification/);
  const backup = await cli('backup', '--project', web.name);
  expect([backup.code, backup.stdout]).toEqual([0, expect.stringContaining('stored and verified')]);
  const backups = await cli('backups', '--json');
  const listed = (JSON.parse(backups.stdout) as { backups: { status: string; reason: string }[] }).backups;
  const [newest, ...earlier] = listed.map(({ status, reason }) => `${reason} ${status}`);
  expect(newest).toBe('operator succeeded');
  // Of the update and of its rehearsals, of which an update interrupts one that takes long; the other update used a recent backup again.
  expect(earlier.length).toBeGreaterThanOrEqual(2);
  expect(new Set(earlier)).toEqual(new Set(['update succeeded']));
  const updates = await cli('updates', '--container', name, '--json');
  const told = JSON.parse(updates.stdout) as { updates: object[] };
  expect([updates.code, told.updates[0]]).toEqual([0, expect.objectContaining({ status: 'ignored' })]);
  expect((await cli('updates')).stdout).toMatch(/ID +WHEN +CONTAINER/);
});

it('ends within 10 s of SIGTERM, with code 0', async () => {
  const began = Date.now();
  await pilot.kill('SIGTERM');
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(pilot.log().at(-1)).toMatchObject({ message: 'stopped' });
});

it('is started by `diun-pilot update` while no service runs: the command does it itself', async () => {
  const digest = await publish('stable', 'manual-3');
  const { code, stdout } = await cli('update', await web.containerName('web'), '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', to: { digest } });
  expect((await web.container('web'))['Image']).toBe(await imageNamed(stage.lab, reference('stable')));
});
