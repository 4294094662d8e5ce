import { eventually } from '../support/eventually';
import { announce, endOfUpdate, mailsAbout, pageOf, stepsOf, type UpdateTold } from '../support/e2e-updates';
import { AUTOMATIC, nginxService, SITE, type Service } from '../support/e2e-services';
import { imageNamed, namesOf, openStage, startedAt } from '../support/e2e-stage';
import type { ComposeProject } from '../lab/compose';
import type { ImageName } from '../lab/images/recipes';
import type { Pilot } from '../lab/pilot';

// One nginx a situation, each on a tag of its own; one diun-pilot updates them.
const stage = openStage();
const SITUATIONS = ['good', 'breaking', 'unhealthy', 'crashing', 'slow'] as const;
type Situation = (typeof SITUATIONS)[number];

let pilot: Pilot;
let web: ComposeProject;

const tagOf = (situation: Situation): string => `verdicts/${situation}:stable`;

beforeAll(async () => {
  const { lab } = stage;
  const services: Record<string, Service> = {};
  for (const situation of SITUATIONS) {
    await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, tagOf(situation));
    // The slow one tells by its own HEALTHCHECK when it is ready.
    const labels = situation === 'slow' ? { ...AUTOMATIC, 'update.probe.timeout': '60s' } : AUTOMATIC;
    services[situation] = nginxService(lab.registry.reference(tagOf(situation)), labels);
  }
  web = await stage.project('verdicts', services, { files: SITE });
  pilot = await stage.pilot();
});

/** What is there before an update, the update, and what is there after it. */
async function updated(situation: Situation, image: ImageName) {
  const { lab } = stage;
  const before = await web.container(situation);
  const digest = await lab.registry.publish(lab.images[image], tagOf(situation));
  const name = await web.containerName(situation);
  const answer = await announce(pilot, lab.registry.reference(tagOf(situation)), digest);
  expect(answer.status).toBe(202);
  const update = await endOfUpdate(pilot, name, digest);
  const names = (await namesOf(lab, web)).filter((found) => found.startsWith(name));
  expect(names).toEqual([name]);
  return { before, digest, name, update, after: await web.container(situation) };
}

const tagNames = (situation: Situation) => imageNamed(stage.lab, stage.lab.registry.reference(tagOf(situation)));

it('a good image: the new one serves, the old container is gone, and a log line is all that is said of it', async () => {
  const { before, digest, update, name, after } = await updated('good', 'NGINX_GOOD_2');
  expect(update).toMatchObject({ status: 'succeeded', error: null, policy: 'automatic', source: 'diun' });
  expect(stepsOf(update)).toEqual([
    'backup skipped',
    'pull succeeded',
    'preflight succeeded',
    'recreate succeeded',
    'health_check succeeded',
    'cleanup succeeded',
  ]);
  expect(await stage.lab.docker.inspect('container', String(before['Id']))).toBeNull();
  expect(after['Image']).toBe(await imageNamed(stage.lab, stage.lab.images.NGINX_GOOD_2));
  expect(await tagNames('good')).toBe(after['Image']);
  expect(after['Config'].Image).toBe(stage.lab.registry.reference(tagOf('good')));
  expect(await pageOf(web, 'good')).toMatch(/^good-2 /);
  expect(await mailsAbout(pilot, name, 1)).toEqual([expect.stringContaining('update available')]);
  expect(pilot.log()).toContainEqual(expect.objectContaining({ message: 'update succeeded', update: update['id'] }));
  expect(update['to'].digest).toBe(digest);
});

it('the same webhook once more: a duplicate, and no second update', async () => {
  const name = await web.containerName('good');
  const before = await web.container('good');
  const reference = stage.lab.registry.reference(tagOf('good'));
  const digest = (await stage.lab.registry.tagged(tagOf('good')))!.digest;
  const answer = await announce(pilot, reference, digest);
  expect([answer.status, JSON.parse(answer.body)]).toEqual([202, expect.objectContaining({ duplicate: true })]);
  // What comes after it in the inbox is decided after it.
  const marker = await updated('slow', 'NGINX_SLOW');
  expect(marker.update['status']).toBe('succeeded');
  expect(await pilot.updates(`?container=${name}`)).toHaveLength(1);
  expect((await web.container('good'))['Id']).toBe(before['Id']);
});

it('a slow one: waited for, and then it serves', async () => {
  const container = await web.container('slow');
  expect(container['Image']).toBe(await imageNamed(stage.lab, stage.lab.images.NGINX_SLOW));
  expect(container['State'].Health.Status).toBe('healthy');
  expect(await pageOf(web, 'slow')).toBe('slow-but-healthy\n');
});

it('an image that the live configuration does not fit: failed at preflight, the old one never stopped', async () => {
  const { before, update, name, after } = await updated('breaking', 'NGINX_CONFIG_BREAKING');
  expect(update).toMatchObject({ status: 'failed', error: { code: 'preflight_failed' } });
  expect(update['error'].message).toContain('unknown log format "main"');
  expect(stepsOf(update)).toEqual(['backup skipped', 'pull succeeded', 'preflight failed']);
  expect([after['Id'], startedAt(after), after['Image']]).toEqual([before['Id'], startedAt(before), before['Image']]);
  expect(after['State'].Running).toBe(true);
  expect(await tagNames('breaking')).toBe(before['Image']);
  expect(await mailsAbout(pilot, name, 2)).toEqual([
    expect.stringContaining('update available'),
    expect.stringContaining('nothing was changed'),
  ]);
});

const BROKEN: [string, Situation, ImageName, RegExp][] = [
  ['that never becomes healthy', 'unhealthy', 'NGINX_NEVER_HEALTHY', /HEALTHCHECK fails/],
  ['that crashes again and again', 'crashing', 'NGINX_CRASH_LOOPING', /restart|exited/],
];

describe.each(BROKEN)('an image %s', (_, situation, image, why) => {
  it('is rolled back: the very container that served before serves again, and the tag names its image', async () => {
    const { before, update, name, after } = await updated(situation, image);
    expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(update['error'].message).toMatch(why);
    expect(stepsOf(update).slice(3)).toEqual([
      'recreate succeeded',
      'health_check failed',
      'rollback succeeded',
      'rollback_health_check succeeded',
    ]);
    expect([after['Id'], after['Image'], after['State'].Running]).toEqual([before['Id'], before['Image'], true]);
    expect(await tagNames(situation)).toBe(before['Image']);
    expect(await pageOf(web, situation)).toMatch(/^good-1 /);
    expect(await mailsAbout(pilot, name, 2)).toEqual([
      expect.stringContaining('update available'),
      expect.stringContaining('the old version is running'),
    ]);
  });

  it('is not tried again by itself', async () => {
    const { lab } = stage;
    const name = await web.containerName(situation);
    const { digest } = (await lab.registry.tagged(tagOf(situation)))!;
    const before = await web.container(situation);
    // Of the other kind, `new`, else the request is a duplicate that nobody looks at.
    const answer = await announce(pilot, lab.registry.reference(tagOf(situation)), digest, 'new-tag');
    expect(JSON.parse(answer.body)).toMatchObject({ duplicate: false });
    const ignored = async () => (await pilot.updates(`?container=${name}&status=ignored`))[0] as UpdateTold | undefined;
    const { reason } = await eventually('it is decided', ignored);
    expect(reason).toContain('is not retried automatically');
    const after = await web.container(situation);
    expect([after['Id'], startedAt(after)]).toEqual([before['Id'], startedAt(before)]);
    expect(await pilot.updates(`?container=${name}`)).toHaveLength(2);
  });
});
