import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { AUTOMATIC, nginxService, SITE } from '../support/e2e-services';
import { namesOf, openStage } from '../support/e2e-stage';
import { announce, endOfUpdate, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// The time after success on a real engine: `docker compose up -d` in the middle of it.
const stage = openStage();

async function startPilot(project: ComposeProject): Promise<Pilot> {
  return (await stage.seeing(project.name)).pilot({ env: { TZ: 'UTC' } });
}
const look = async (pilot: Pilot, id: unknown): Promise<UpdateTold> =>
  (await pilot.get(`/updates/${String(id)}`)) as UpdateTold;
/** Words of the newest mail of this subject. */
async function mailWith(pilot: Pilot, subject: RegExp): Promise<{ words: string; subject: string }> {
  return eventually(`a mail like ${subject}`, async () => {
    const found = (await pilot.mails()).findLast((mail) => subject.test(mail.subject ?? ''));
    const text = found?.text ?? '';
    return found && { words: text.replace(/\s+(!! )?/g, ' '), subject: found.subject ?? '' };
  });
}

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
    await eventually('the soak ended', async () => (await look(pilot, id))['soak'].status === 'ended', {
      everyMs: 100,
    });
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
    await eventually('it serves', async () => (await fetch(await web.url('site', 80))).ok, { everyMs: 100 });
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
