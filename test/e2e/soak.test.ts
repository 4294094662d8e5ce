import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { AUTOMATIC, nginxService, SITE } from '../support/e2e-services';
import { namesOf, openStage } from '../support/e2e-stage';
import { announce, endOf, endOfUpdate, stepsOf, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// The time after success on a real engine: a database server that fails in it, and `docker compose up -d` in the middle of it.
const stage = openStage();

async function startPilot(project: ComposeProject): Promise<Pilot> {
  return (await stage.seeing(project.name)).pilot({ env: { TZ: 'UTC' } });
}
const look = async (pilot: Pilot, id: unknown): Promise<UpdateTold> =>
  (await pilot.get(`/updates/${String(id)}`)) as UpdateTold;
/** Words of the newest mail of this subject, and the token of its link. */
async function mailWith(pilot: Pilot, subject: RegExp): Promise<{ words: string; token: string; subject: string }> {
  return eventually(`a mail like ${subject}`, async () => {
    const found = (await pilot.mails()).findLast((mail) => subject.test(mail.subject ?? ''));
    const text = found?.text ?? '';
    const token = /\/approvals\/([\w.-]+)/.exec(text)?.[1] ?? '';
    return found && { words: text.replace(/\s+(!! )?/g, ' '), token, subject: found.subject ?? '' };
  });
}

describe('a database server', () => {
  const TAG = 'soaked/postgres:15';
  let data: ComposeProject;
  let app: ReturnType<typeof appOf>;
  let pilot: Pilot;
  let name: string;
  let oldId: string;

  beforeAll(async () => {
    const { lab } = stage;
    await lab.registry.publishAndPull(lab.images.POSTGRES_15, TAG);
    const { db, app: reader } = appServices(lab, lab.images.APP_1);
    if (db === undefined || reader === undefined) throw new Error('the app has no services');
    const watched = { ...db.labels, 'diun.enable': 'true', 'update.soak': '30m' };
    const services = {
      db: { ...db, image: lab.registry.reference(TAG), restart: 'always', labels: watched },
      app: reader,
    };
    data = await stage.project('soaked', services, { top: APP_VOLUMES });
    app = appOf(data);
    pilot = await startPilot(data);
    await app.ready();
    name = await data.containerName('db');
    oldId = String((await data.container('db'))['Id']);
    for (const item of ['erste', 'zweite']) await app.keep(item);
  });

  const inDatabase = (statement: string): Promise<string> =>
    stage.lab.docker.run(['exec', name, 'psql', '-XAt', '-U', 'app', '-d', 'app', '-c', statement]);
  const names = async (): Promise<string[]> => (await app.items()).map((item) => item.name);
  const answer = (token: string, form: Record<string, string>): Promise<Response> =>
    fetch(`${pilot.url}/approvals/${token}`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });

  it('fails during its soak on a changed schema: the link offers its backup with the lost time, and the old server runs on it', async () => {
    await stage.lab.registry.publish(stage.lab.images.POSTGRES_15_NEXT, TAG);
    const asked = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container: name }) });
    const id = ((await asked.json()) as { id: string }).id;
    expect(await endOf(pilot, id)).toMatchObject({ status: 'succeeded', soak: { status: 'watching' } });
    // By its name: both containers have the labels of the service.
    const newOne = async () => stage.lab.docker.inspect('container', name);
    expect((await newOne())?.['Id']).not.toBe(oldId);
    await app.ready();
    await app.keep('dritte');
    await inDatabase('ALTER TABLE items ADD COLUMN of_the_new_version integer');
    // Its main process ends at once, and its policy starts it again.
    await stage.lab.docker.run(['exec', name, 'sh', '-c', 'kill -QUIT 1']);

    const { words, token } = await mailWith(pilot, /decide whether the old version runs again/);
    expect(words).toMatch(/during its soak: it exited and was restarted \d+ times?/);
    expect(words).toContain('holds data, so diun-pilot does not roll it back automatically');
    expect(words).toMatch(/The new version changed the schema: .*1 column added \(items\.of_the_new_version\)/);
    expect(words).toMatch(/The data of the last \d+ (min|s).* \(since 20.*\) is lost to the application/);
    expect(await look(pilot, id)).toMatchObject({ status: 'succeeded', soak: { status: 'deciding' } });
    expect((await stage.lab.docker.inspect('container', oldId))?.['State'].Running).toBe(false);
    await app.ready();
    expect(await names()).toEqual(['erste', 'zweite', 'dritte']);

    const page = await (await fetch(`${pilot.url}/approvals/${token}`, { headers: { Accept: 'text/html' } })).text();
    expect(page).toMatch(/The data of the last/);
    expect(page).not.toContain('value="current"');
    expect((await answer(token, { decision: 'approve', data: 'backup' })).status).toBe(422);
    expect((await answer(token, { decision: 'approve', data: 'backup', name })).status).toBe(303);
    await eventually('it is rolled back', async () => (await look(pilot, id))['status'] !== 'succeeded');
    const ended = await endOf(pilot, id, 300_000);
    expect(ended).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' }, soak: { status: 'ended' } });
    expect(stepsOf(ended).slice(-2)).toEqual(['restore succeeded', 'restore_health_check succeeded']);
    const after = await data.container('db');
    expect([after['Id'], after['State'].Running, after['HostConfig'].RestartPolicy.Name]).toEqual([
      oldId,
      true,
      'always',
    ]);
    await app.ready();
    expect(await names()).toEqual(['erste', 'zweite']);
    expect(
      await inDatabase(`SELECT count(*) FROM information_schema.columns WHERE column_name = 'of_the_new_version'`),
    ).toMatch(/^0/);
    expect(await namesOf(stage.lab, data)).toHaveLength(2);
    // What was written since the backup is in no verdict's way, and not gone.
    const kept = await inDatabase(`SELECT datname FROM pg_database WHERE datname LIKE 'app.diun-pilot-before-%'`);
    expect(kept.trim()).toMatch(/^app\.diun-pilot-before-/);
    expect((await answer(token, { decision: 'approve', data: 'backup', name })).status).toBe(410);
  });
});

describe('docker compose up -d during a soak', () => {
  const TAG = 'soaked/nginx:stable';
  let web: ComposeProject;
  let pilot: Pilot;

  beforeAll(async () => {
    const { lab } = stage;
    await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, TAG);
    const service = nginxService(lab.registry.reference(TAG), { ...AUTOMATIC, 'update.soak': '30m' });
    web = await stage.project('upped', { site: service }, { files: SITE });
    pilot = await startPilot(web);
  });

  it('ends with one whole container of the new version, and diun-pilot says that there is no way back', async () => {
    const { docker, registry, images } = stage.lab;
    const [name, oldId] = [await web.containerName('site'), String((await web.container('site'))['Id'])];
    const digest = await registry.publish(images.NGINX_GOOD_2, TAG);
    expect((await announce(pilot, registry.reference(TAG), digest)).status).toBe(202);
    const { id } = await endOfUpdate(pilot, name, digest);
    expect(await look(pilot, id)).toMatchObject({ status: 'succeeded', soak: { status: 'watching' } });
    const newImage = String((await docker.inspect('container', name))?.['Image']);

    // Compose 2.26 fails with a name that is in use; a later one may not.
    const failed = await web.compose(['up', '--detach']).then(
      () => null,
      (error: unknown) => String(error),
    );
    await eventually('the soak ended', async () => (await look(pilot, id))['soak'].status === 'ended');
    const { reason } = await look(pilot, id);
    expect(reason).toContain('diun-pilot can no longer roll this update back.');
    expect(await namesOf(stage.lab, web)).toEqual([name]);
    const now = await docker.inspect('container', name);
    expect([now?.['State'].Running, now?.['Image'], now?.['HostConfig'].RestartPolicy.Name]).toEqual([
      true,
      newImage,
      'always',
    ]);
    expect(await docker.inspect('container', oldId)).toBeNull();
    await eventually('it serves', async () => (await fetch(await web.url('site', 80))).ok);
    if (failed !== null) {
      expect(failed).toMatch(/already in use|Conflict/);
      expect(reason).toContain('did not finish: diun-pilot gave');
      const { words, subject } = await mailWith(pilot, /during its soak/);
      expect(subject).toContain('no rollback is possible');
      expect(words).toContain('The new version is no longer watched');
    }
    expect((await web.up()).untouched).toEqual(['site']);
    expect((await look(pilot, id))['status']).toBe('succeeded');
    expect((await (await pilot.request('/health')).json()) as object).toMatchObject({ status: 'ok' });
  });
});
