import { EngineError } from '../../src/domain/errors';
import { recordDecision } from '../../src/decisions/approve';
import { requestUpdate } from '../../src/decisions/request-update';
import { nginx, openScene, type Scene } from '../support/scene';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let scene: Scene;
beforeEach(() => (scene = openScene()));
afterEach(() => scene.close());

function run(image: string, labels: Record<string, string> = {}, name = 'web-nginx-1'): string {
  return scene.engine.runContainer(nginx({ name, image, labels, ports: {} }));
}

async function reconcile(): Promise<string> {
  scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
  await scene.settle();
  return scene.store.timers.get('reconcile')?.last?.outcome ?? '';
}

const MANUAL = { 'update.policy': 'manual' };
const WATCHED = { 'diun.watch_repo': 'true' };
const told = (): string[] => scene.updates().map(({ to, status, source }) => `${to.reference} ${status} ${source}`);
const kinds = (): string[] => scene.mails().map(({ kind }) => kind);

describe('the digest of the own tag', () => {
  beforeEach(() => void scene.engine.addImage({ reference: 'nginx:stable' }));

  test('an event that Diun lost is found, and goes the way of a webhook', async () => {
    run('nginx:stable');
    const image = scene.engine.publish('nginx:stable');
    expect(await reconcile()).toBe('1 container compared with the registry, 1 update found.');
    expect(told()).toEqual(['nginx:stable succeeded reconcile']);
    expect(scene.engine.container('web-nginx-1').Image).toBe(image.id);
    expect(kinds()).toEqual(['update_available']);
  });

  test('an image that was built here is not replaced without approval', async () => {
    const images = scene.engine.images.bind(scene.engine);
    const built = run('nginx:stable');
    scene.engine.images = async () => (await images()).map((image) => ({ ...image, repoDigests: [] }));
    scene.engine.publish('nginx:stable');
    await reconcile();
    expect(scene.engine.container('web-nginx-1').Id).toBe(built);
    expect(told()).toEqual(['nginx:stable awaiting_approval reconcile']);
    expect(scene.updates()[0]?.reason).toContain('built or loaded on this host');
  });

  test('a manual one waits with one mail, however often it is compared', async () => {
    run('nginx:stable', MANUAL);
    scene.engine.publish('nginx:stable');
    for (let day = 0; day < 3; day++) await reconcile();
    expect(told()).toEqual(['nginx:stable awaiting_approval reconcile']);
    expect(kinds()).toEqual(['critical_update_available']);
  });

  test('where there is nothing to do there is no trace', async () => {
    run('nginx:stable');
    run('nginx:stable', { 'update.policy': 'ignore' }, 'ignored');
    run('nginx:stable', { 'diun.enable': 'false' }, 'unwatched');
    await reconcile();
    scene.engine.publish('nginx:stable');
    scene.store.refusals.add({
      ...{ container: 'web-nginx-1', digest: await scene.engine.registryDigest('nginx:stable') },
      ...{ why: 'failed', updateId: 'u', at: '2026-01-01T00:00:00.000Z' },
    });
    expect(await reconcile()).toBe('1 container compared with the registry, 0 updates found.');
    expect(scene.updates()).toEqual([]);
    expect(scene.mails()).toEqual([]);
  });

  test('labels that nobody can obey are told in the log each time, once, of a container that is not watched too', async () => {
    run('nginx:stable', { 'update.policy': 'automtic' });
    run('nginx:stable', { 'diun.enable': 'yes' }, 'left-alone');
    const wrong = () =>
      scene.log.flatMap(({ level, container, label }) => (label === undefined ? [] : [[level, container, label]]));
    await reconcile();
    const told = [
      ['error', 'left-alone', 'diun.enable'],
      ['error', 'web-nginx-1', 'update.policy'],
    ];
    expect(wrong()).toEqual(told);
    scene.engine.publish('nginx:stable');
    await reconcile();
    expect(scene.updates()).toMatchObject([{ container: 'web-nginx-1', status: 'awaiting_approval' }]);
    expect(wrong()).toEqual([...told, ...told]);
  });

  test('what was declined is not offered again, and what expired only after a week', async () => {
    run('nginx:stable', MANUAL);
    run('nginx:stable', MANUAL, 'other');
    scene.engine.publish('nginx:stable');
    await reconcile();
    const declined = scene.updates()[0];
    if (declined) recordDecision(scene.deps, declined, 'decline', 'api');
    await scene.clock.advance(4 * DAY);
    await reconcile();
    expect(
      scene
        .updates()
        .map(({ status }) => status)
        .sort(),
    ).toEqual(['declined', 'expired']);
    await scene.clock.advance(8 * DAY);
    await reconcile();
    expect(
      scene
        .updates()
        .map(({ status }) => status)
        .sort(),
    ).toEqual(['awaiting_approval', 'declined', 'expired']);
  });

  test('what failed through no fault of the image is tried again the next day, not at each start', async () => {
    run('nginx:stable');
    scene.engine.publish('nginx:stable');
    scene.engine.failNext('pull', new EngineError('pull_failed', 'The disk is full.'));
    for (let start = 0; start < 3; start++) await reconcile();
    expect(told()).toEqual(['nginx:stable failed reconcile']);
    await scene.clock.advance(DAY);
    await reconcile();
    expect(told()).toEqual(['nginx:stable failed reconcile', 'nginx:stable succeeded reconcile']);
  });

  test('a registry that refuses or is silent costs only its own containers, and nobody is mailed', async () => {
    scene.engine.addImage({ reference: 'quay.test/app:1' });
    scene.engine.addImage({ reference: 'quay.test/other:1' });
    run('nginx:stable');
    run('quay.test/app:1', {}, 'app');
    run('quay.test/other:1', {}, 'other');
    scene.engine.publish('nginx:stable');
    const asked: string[] = [];
    scene.engine.onCall('registryDigest', ({ args }) => {
      asked.push(String(args[0]));
      if (String(args[0]).startsWith('quay')) throw new EngineError('registry_unreachable', 'toomanyrequests');
    });
    expect(await reconcile()).toContain('Not compared: app (quay.test/app:1): toomanyrequests; other');
    expect(asked.filter((reference) => reference.startsWith('quay'))).toHaveLength(1);
    expect(told()).toEqual(['nginx:stable succeeded reconcile']);
    expect(kinds()).toEqual(['update_available']);
    expect(scene.store.timers.get('reconcile')?.last?.trouble).toContain('(2 times)');
  });

  test('without an engine it waits until there is one', async () => {
    run('nginx:stable');
    scene.engine.publish('nginx:stable');
    scene.engine.reachable = false;
    await expect(reconcile()).rejects.toMatchObject({ code: 'engine_unreachable' });
    scene.engine.reachable = true;
    await scene.settle();
    expect(told()).toEqual(['nginx:stable succeeded reconcile']);
  });
});

describe('another tag whose update failed through no fault of the image', () => {
  beforeEach(() => void scene.engine.addImage({ reference: 'nginx:1.27' }));

  /** Diun announces it once, and the pull fails. */
  async function fails(tag: string): Promise<void> {
    const { digest } = scene.engine.publish(`nginx:${tag}`);
    scene.engine.failNext('pull', new EngineError('pull_failed', 'The disk is full.'));
    scene.hear(`docker.io/library/nginx:${tag}`, digest, 'new');
    await scene.settle();
  }

  const lastText = (): string => scene.mails().at(-1)?.text.replace(/\s+/g, ' ') ?? '';

  test('is tried again the next day, also without diun.watch_repo', async () => {
    run('nginx:1.27');
    await fails('1.28');
    expect(lastText()).toContain('finds the update again');
    await reconcile();
    expect(told()).toEqual(['nginx:1.28 failed diun']);
    await scene.clock.advance(DAY);
    await reconcile();
    expect(told()).toEqual(['nginx:1.28 failed diun', 'nginx:1.28 succeeded reconcile']);
    await scene.clock.advance(DAY);
    await reconcile();
    expect(told()).toHaveLength(2);
  });

  test('is offered again where the policy is manual', async () => {
    run('nginx:1.27', MANUAL);
    await fails('1.28');
    const [waiting] = scene.updates();
    if (waiting) recordDecision(scene.deps, waiting, 'approve', 'api');
    await scene.settle();
    await scene.clock.advance(DAY);
    await reconcile();
    expect(told()).toEqual(['nginx:1.28 failed diun', 'nginx:1.28 awaiting_approval reconcile']);
  });

  test('only the highest that is not quarantined', async () => {
    run('nginx:1.27');
    await fails('1.28');
    await fails('1.29');
    const { digest } = scene.engine.publish('nginx:1.30', { health: 'exits' });
    scene.hear('docker.io/library/nginx:1.30', digest, 'new');
    await scene.settle();
    await scene.clock.advance(DAY);
    await reconcile();
    expect(told().filter((update) => update.endsWith('reconcile'))).toEqual(['nginx:1.29 succeeded reconcile']);
  });

  test('not what the operator requested, and its mail does not promise it', async () => {
    run('nginx:1.27');
    scene.engine.publish('nginx:1.28');
    scene.engine.failNext('pull', new EngineError('pull_failed', 'The disk is full.'));
    await requestUpdate(scene.deps, { container: 'web-nginx-1', image: 'nginx:1.28' });
    await scene.settle();
    expect(lastText()).toContain('does not retry it automatically');
    expect(lastText()).not.toContain('finds the update again');
    await scene.clock.advance(DAY);
    await reconcile();
    expect(told()).toEqual(['nginx:1.28 failed operator']);
  });
});

describe('newer tags', () => {
  const publish = (...tags: string[]): void => tags.forEach((tag) => void scene.engine.publish(`nginx:${tag}`));
  beforeEach(() => void scene.engine.addImage({ reference: 'nginx:1.27.3' }));

  test('the highest allowed one is offered, and not those between', async () => {
    run('nginx:1.27.3', { ...MANUAL, ...WATCHED, 'diun.include_tags': '^1\\.' });
    publish('1.27.4', '1.28.0', '2.0.0', '1.28.0-alpine');
    await reconcile();
    expect(told()).toEqual(['nginx:1.28.0 awaiting_approval reconcile']);
  });

  test('only with diun.watch_repo=true', async () => {
    run('nginx:1.27.3');
    publish('1.27.4');
    await reconcile();
    expect(told()).toEqual([]);
  });

  test('a patch is made by itself beside a major that waits, which is then offered anew from what runs', async () => {
    run('nginx:1.27.3', WATCHED);
    publish('1.27.4', '2.0.0');
    await reconcile();
    expect(told()).toEqual([
      'nginx:2.0.0 superseded reconcile',
      'nginx:1.27.4 succeeded reconcile',
      'nginx:2.0.0 awaiting_approval reconcile',
    ]);
    const [first, , again] = scene.updates();
    expect(first?.reason).toContain('was changed in the meantime');
    expect(again?.from?.reference).toBe('nginx:1.27.4');
    if (again) recordDecision(scene.deps, again, 'approve', 'api');
    await scene.settle();
    expect(scene.engine.container('web-nginx-1').Config.Image).toBe('nginx:2.0.0');
  });

  test('the same when Diun tells of them, in either order', async () => {
    run('nginx:1.27.3', WATCHED);
    const [patch, major] = [scene.engine.publish('nginx:1.27.4'), scene.engine.publish('nginx:2.0.0')];
    scene.hear('docker.io/library/nginx:1.27.4', patch.digest, 'new');
    scene.hear('docker.io/library/nginx:2.0.0', major.digest, 'new');
    await scene.settle();
    expect(scene.engine.container('web-nginx-1').Config.Image).toBe('nginx:1.27.4');
    expect(told().filter((update) => update.includes('awaiting_approval'))).toEqual([
      'nginx:2.0.0 awaiting_approval diun',
    ]);
    const next = scene.engine.publish('nginx:1.27.5');
    scene.hear('docker.io/library/nginx:1.27.5', next.digest, 'new');
    await scene.settle();
    expect(scene.engine.container('web-nginx-1').Config.Image).toBe('nginx:1.27.5');
    expect(told().filter((update) => update.includes('awaiting_approval'))).toEqual([
      'nginx:2.0.0 awaiting_approval diun',
    ]);
  });

  test('a declined version does not hide the lower one that was pending before it', async () => {
    run('nginx:1.27.3', { ...MANUAL, ...WATCHED });
    publish('1.27.4');
    await reconcile();
    publish('1.28.0');
    await reconcile();
    const [, minor] = scene.updates();
    if (minor) recordDecision(scene.deps, minor, 'decline', 'api');
    for (let day = 0; day < 2; day++) await reconcile();
    expect(told()).toEqual([
      'nginx:1.27.4 superseded reconcile',
      'nginx:1.28.0 declined reconcile',
      'nginx:1.27.4 awaiting_approval reconcile',
    ]);
  });

  test('a list that fails in whatever way costs its own container only', async () => {
    run('nginx:1.27.3', WATCHED);
    scene.engine.addImage({ reference: 'redis:1.0.0' });
    run('redis:1.0.0', WATCHED, 'cache');
    scene.engine.publish('redis:1.0.1');
    const { registryTags } = scene.deps;
    for (const failure of [
      new EngineError('registry_unreachable', 'No list (status 503).'),
      new RangeError('defect'),
    ]) {
      scene.deps.registryTags = {
        tags: (reference) => (reference.includes('nginx') ? Promise.reject(failure) : registryTags.tags(reference)),
      };
      expect(await reconcile()).toContain(`web-nginx-1 (newer tags): ${failure.message}`);
    }
    expect(told()).toEqual(['redis:1.0.1 awaiting_approval reconcile']);
  });

  test('a list of tags that the registry does not give leaves the digest of the own tag to be found', async () => {
    run('nginx:1.27.3', WATCHED);
    scene.engine.publish('nginx:1.27.3');
    scene.deps.registryTags = {
      tags: () => Promise.reject(new EngineError('registry_refused', 'It wants a login.')),
    };
    expect(await reconcile()).toContain('web-nginx-1 (newer tags): It wants a login.');
    expect(told()).toEqual(['nginx:1.27.3 succeeded reconcile']);
  });
});
