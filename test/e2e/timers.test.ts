import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { AUTOMATIC, nginxService, SITE } from '../support/e2e-services';
import { imageNamed, openStage, type Stage } from '../support/e2e-stage';
import { endOfUpdate, pageOf } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// What time brings about, with the real service on the real engine: what was due or said while it was down is made good.
const stage = openStage();
const TAG = 'timers/web:stable';
const VERSIONS = 'timers/versions';

let project: ComposeProject;
let own: Stage;

beforeAll(async () => {
  const { lab } = stage;
  const { registry, images } = lab;
  for (const name of [TAG, `${VERSIONS}:1.0.0`]) await registry.publishAndPull(images.NGINX_GOOD_1, name);
  const manual = { ...AUTOMATIC, 'update.policy': 'manual', 'diun.watch_repo': 'true', 'diun.include_tags': '^1\\.' };
  const data = { 'backup.kind': 'files', 'backup.paths': '/etc/nginx' };
  project = await stage.project(
    'timers',
    {
      web: nginxService(registry.reference(TAG)),
      versions: nginxService(registry.reference(`${VERSIONS}:1.0.0`), { ...manual, ...data }),
    },
    { files: SITE },
  );
  own = await stage.seeing(project.name);
});

const pilotWith = (env: Record<string, string>): Promise<Pilot> => own.pilot({ env: { TZ: 'UTC', ...env } });

it('finds at its start what Diun announced while it was down, and newer tags, and finds them once', async () => {
  const { registry, images } = stage.lab;
  const pilot = await pilotWith({ PILOT_RECONCILE_SCHEDULE: '0 4 * * *' });
  await pilot.stop();
  const digest = await registry.publish(images.NGINX_GOOD_2, TAG);
  for (const tag of ['1.1.0', '1.2.0', '1.3.0-rc1', '2.0.0'])
    await registry.publish(images.NGINX_GOOD_2, `${VERSIONS}:${tag}`);
  await pilot.start();

  const web = await project.containerName('web');
  expect(await endOfUpdate(pilot, web, digest)).toMatchObject({ status: 'succeeded', source: 'reconcile' });
  expect((await project.container('web'))['Image']).toBe(await imageNamed(stage.lab, images.NGINX_GOOD_2));
  expect(await pageOf(project, 'web')).toMatch(/^good-2 /);
  const waiting = await eventually(
    'the newer tag is offered',
    async () => (await pilot.updates('?status=awaiting_approval'))[0],
  );
  expect(waiting).toMatchObject({ source: 'reconcile', to: { reference: registry.reference(`${VERSIONS}:1.2.0`) } });

  await pilot.restart();
  await eventually('it was compared again', () => reconciled(pilot) === 3);
  expect(await pilot.updates()).toHaveLength(2);
});

/** How often it has been done, by the log of all processes on this data. */
function reconciled(pilot: Pilot): number {
  return pilot.log().filter(({ message, timer }) => message === 'timer done' && timer === 'reconcile').length;
}

/** A service that was up and is stopped before its backup is due. On a slow machine that takes a later time, and a new service. */
async function stoppedBefore(leadMs: number): Promise<{ pilot: Pilot; due: Date }> {
  const due = new Date(Date.now() + leadMs);
  const daily = `${due.getUTCSeconds()} ${due.getUTCMinutes()} ${due.getUTCHours()} * * *`;
  const pilot = await pilotWith({ PILOT_BACKUP_SCHEDULE: daily });
  const health = (await (await fetch(`${pilot.url}/health`)).json()) as { checks: Record<string, unknown> };
  expect(health.checks).toMatchObject({ scheduler: { status: 'ok' }, backups: { status: 'ok' } });
  await pilot.stop();
  if (Date.now() < due.getTime()) return { pilot, due };
  expect(leadMs).toBeLessThan(300_000);
  return stoppedBefore(leadMs * 4);
}

it('takes the backup that was due while it was down once it is up, once', async () => {
  const { pilot, due } = await stoppedBefore(6_000);
  await eventually('its time is past', () => Date.now() > due.getTime() + 1_000, { timeoutMs: 400_000 });
  expect((await (await startAgain(pilot)).get('/backups')).backups).toMatchObject([
    { status: 'succeeded', reason: 'schedule' },
  ]);

  await pilot.restart();
  await eventually('it has looked', () => pilot.log().filter(({ timer }) => timer === 'backup-ages').length >= 2);
  expect((await pilot.get('/backups')).backups).toHaveLength(1);
});

async function startAgain(pilot: Pilot): Promise<Pilot> {
  await pilot.start();
  await eventually('the backup has its end', async () => {
    const [backup] = (await pilot.get('/backups')).backups as { status: string }[];
    return backup !== undefined && !['queued', 'running'].includes(backup.status);
  });
  return pilot;
}
