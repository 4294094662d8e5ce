import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { AUTOMATIC, nginxService, SITE } from '../support/e2e-services';
import { imageNamed, openStage, startedAt } from '../support/e2e-stage';
import { eventually } from '../support/eventually';
import { announce, endOfUpdate } from '../support/e2e-updates';

// A publisher adds an architecture or an attestation: the tag has a new digest, and for this host nothing changed.
jest.setTimeout(600_000);

const stage = openStage();
const own = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
const other = { os: 'linux', architecture: 's390x' };
const attestation = { os: 'unknown', architecture: 'unknown' };

let web: ComposeProject;
let pilot: Pilot;
const name = (service: string): string => `same-${stage.lab.id}/${service}:stable`;
const container = async (service: string) => {
  const inspect = await web.container(service);
  return { id: inspect['Id'] as unknown, startedAt: startedAt(inspect) };
};

beforeAll(async () => {
  const { registry, images, docker } = stage.lab;
  await registry.publishIndex(name('index'), [{ image: images.NGINX_GOOD_1, platform: own }]);
  await docker.run(['pull', '--quiet', registry.reference(name('index'))]);
  await registry.publishAndPull(images.NGINX_GOOD_1, name('plain'));
  const manual = { ...AUTOMATIC, 'update.policy': 'manual' };
  const services = {
    index: nginxService(registry.reference(name('index'))),
    plain: nginxService(registry.reference(name('plain')), manual),
  };
  web = await stage.project('same', services, { files: SITE });
  pilot = await stage.pilot();
});

/** The index as it grew, for a tag that had another index or none. */
const grown = (service: string, image: string): Promise<string> =>
  stage.lab.registry.publishIndex(name(service), [
    { image, platform: own },
    { image: stage.lab.images.NGINX_GOOD_2, platform: other },
    { image: stage.lab.images.NGINX_GOOD_2, platform: attestation },
  ]);

it.each(['index', 'plain'])(
  'is ignored with the reason: nothing is stopped, requested or mailed (%s)',
  async (service) => {
    const before = await container(service);
    const digest = await grown(service, stage.lab.images.NGINX_GOOD_1);
    await announce(pilot, stage.lab.registry.reference(name(service)), digest);
    const ended = await endOfUpdate(pilot, await web.containerName(service), digest);
    expect(ended).toMatchObject({
      status: 'ignored',
      source: 'diun',
      steps: [],
      reason: expect.stringContaining('already runs the image'),
    });
    expect(await container(service)).toEqual(before);
    expect(await pilot.mails()).toEqual([]);
  },
);

it('is answered in the same way to an operator who requests it', async () => {
  const before = await container('plain');
  const body = JSON.stringify({ container: await web.containerName('plain') });
  const answer = await pilot.request('/updates', { method: 'POST', body });
  expect(await answer.json()).toMatchObject({ status: 'ignored', reason: expect.stringContaining('nothing to do') });
  expect(await container('plain')).toEqual(before);
});

it('is not reported again by a later comparison with the registry', async () => {
  const before = await pilot.updates();
  await pilot.restart('SIGTERM', { PILOT_RECONCILE_SCHEDULE: '0 4 * * *' });
  const compared = () => pilot.log().find(({ message, timer }) => message === 'timer done' && timer === 'reconcile');
  const { outcome } = (await eventually('a comparison with the registry', () => Promise.resolve(compared()))) ?? {};
  expect(outcome).toBe('2 containers compared with the registry, 0 updates found.');
  expect(await pilot.updates()).toEqual(before);
});

it('does not hold up an image that really is new', async () => {
  const digest = await grown('index', stage.lab.images.NGINX_GOOD_2);
  await announce(pilot, stage.lab.registry.reference(name('index')), digest);
  expect(await endOfUpdate(pilot, await web.containerName('index'), digest)).toMatchObject({ status: 'succeeded' });
  expect((await web.container('index'))['Image']).toBe(await imageNamed(stage.lab, stage.lab.images.NGINX_GOOD_2));
});
