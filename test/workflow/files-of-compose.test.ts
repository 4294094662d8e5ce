import { nginx, openScene, type Scene } from '../support/scene';

// Compose writes `configs:` and `secrets:` with `content:` or `environment:` into the layer of the container that it creates.

const NAME = 'web-nginx-1';
const SECRET = '/run/secrets/password';
let scene: Scene;

afterEach(() => scene.close());

async function open(): Promise<Scene> {
  const opened = openScene();
  await opened.clock.advance(40); // so that containers are not created at a whole second
  opened.engine.addImage({ reference: 'nginx:stable' });
  const id = opened.engine.runContainer(nginx());
  const files = opened.engine.files(id);
  files.write(SECRET, 'top-secret');
  const modifiedAt = opened.engine.container(id).Created.replace(/\.\d+Z$/, 'Z');
  files.setMeta(SECRET, { mode: 0o400, uid: 101, gid: 101, modifiedAt });
  return opened;
}

async function update(): Promise<void> {
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await scene.settle();
}

const secret = (): string | undefined => scene.engine.files(NAME).read(SECRET)?.toString();

it.each([0, -300, -1500, 4000])(
  'are carried over by every update, also where the clock of diun-pilot is %i ms off that of the engine',
  async (offMs) => {
    scene = await open();
    const { clock } = scene;
    scene.deps.clock = {
      now: () => new Date(clock.now().getTime() + offMs),
      sleep: (...asked) => clock.sleep(...asked),
    };
    for (let times = 0; times < 3; times++) {
      await clock.advance(3_600_000);
      await update();
      expect(scene.updates().at(-1)?.status).toBe('succeeded');
      expect(secret()).toBe('top-secret');
    }
  },
);

it('are named with the remedy where another process left no container, so that it was re-created without them', async () => {
  scene = await open();
  const { host } = scene.engine;
  const removeAll = (): void => {
    for (const { inspect } of [...host.containers.values()]) {
      host.stop(host.find(inspect.Id));
      host.remove(inspect.Id);
    }
  };
  scene.engine.onCall('rename', removeAll, { once: true });
  await update();
  expect(secret()).toBeUndefined();
  const [ended] = scene.updates();
  expect(ended).toMatchObject({ status: 'rollback_failed', error: { code: 'changed_meanwhile' } });
  expect(ended?.reason).toContain(`are missing in it: ${SECRET}.`);
  expect(ended?.reason).not.toContain('as before');
  expect(scene.mails().at(-1)?.text.replace(/\s+/g, ' ')).toContain('docker compose up -d --force-recreate nginx');
});
