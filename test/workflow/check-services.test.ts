import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/lib/clock';
import { runOn } from '../support/cli-app';
import { openScene, type Scene } from '../support/scene';

// What `diun-pilot check` says of a Swarm.
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.swarm.init();
});
afterEach(() => scene.close());

function run(more: Record<string, string>, replicas = 1): void {
  const labels = { 'diun.enable': 'true', 'update.policy': 'automatic', 'com.docker.stack.namespace': 'site', ...more };
  const { digest } = scene.engine.publish('nginx:1.28');
  scene.swarm.addService({ name: 'site_web', image: `nginx:1.28@${digest}`, labels, replicas });
}

it('says of a worker that services need a manager', async () => {
  scene.swarm.current = { role: 'worker', nodeId: 'node-b' };
  expect((await runOn(scene, ['check'])).stdout).toMatch(
    /Swarm\s+this engine is a worker.*run diun-pilot on a manager/,
  );
});

it('lists the services of a manager with how they are treated', async () => {
  run({ 'backup.kind': 'postgres' });
  const { stdout } = await runOn(scene, ['check']);
  expect(stdout).toMatch(/Swarm\s+manager of 1 service, 1 watched/);
  expect(stdout).toMatch(/Backup set\s+site: no good backup yet/);
  expect(stdout).toMatch(/site_web\s+nginx:1\.28 .* site_web {3}every update waits for approval: a database/);
});

it('says of a service with data why it cannot be updated', async () => {
  run({ 'backup.kind': 'postgres' }, 2);
  const { stdout } = await runOn(scene, ['check']);
  expect(stdout).toMatch(
    /site_web\s+nginx:1\.28 .*refused: site_web has 2 replicas\. Only a data service with exactly one/,
  );
});

it('says of a service whether what it runs is signed as required', async () => {
  run({ 'update.verify': 'key:/keys/cosign.pub' });
  const { stdout } = await runOn(scene, ['check']);
  expect(stdout.replace(/\s+/g, ' ')).toMatch(/note Signature site_web: no signature of .*waits for approval/);
});

it('lists a service that is not watched by its own name, and never the containers of its tasks', async () => {
  run({ 'diun.enable': 'false' }, 2);
  const { stdout } = await runOn(scene, ['check']);
  expect(stdout).toMatch(/^Not watched: site_web$/m);
  expect(JSON.parse((await runOn(scene, ['check', '--json'])).stdout)).toMatchObject({ notWatched: ['site_web'] });
  scene.swarm.current = { role: 'worker', nodeId: 'node-b' };
  expect((await runOn(scene, ['check'])).stdout).not.toContain('Not watched');
});

it('says nothing of a Swarm where there is none', async () => {
  scene.swarm.current = { role: 'none' };
  expect((await runOn(scene, ['check'])).stdout).not.toContain('Swarm');
});

describe('the file of the stack (update.stack-file)', () => {
  /** Files are real, and a clock that jumps would not wait for them. */
  const said = async (): Promise<string> => {
    const clock = { ...systemClock, now: () => scene.clock.now() };
    return (await runOn(scene, ['check'], { app: { clock } })).stdout.replace(/\s+/g, ' ');
  };
  function stackFile(text: string | null): string {
    const folder = join(scene.folder, 'site');
    mkdirSync(folder);
    const file = join(folder, 'docker-stack.yml');
    if (text !== null) writeFileSync(file, text);
    run({ 'update.stack-file': file });
    return file;
  }

  it('is there, with the line of the service: a new tag is written there', async () => {
    const file = stackFile('services:\n  web:\n    image: nginx:1.28\n');
    expect(await said()).toContain(`ok New tags site_web: written into ${file}`);
  });

  it.each([
    [
      'is not there',
      null,
      /docker-stack\.yml \(update\.stack-file\) is not there, or it is not mounted at the same path/,
    ],
    ['has no such service', 'services:\n  db:\n    image: nginx:1.28\n', /no compose file of the project has an image/],
    ['names another version', 'services:\n  web:\n    image: nginx:1.27\n', /it names nginx:1\.27 there/],
  ])('%s: said before the first update', async (_, text, words) => {
    stackFile(text);
    expect(await said()).toMatch(
      /note New tags site_web: change the tag yourself after each update; diun-pilot cannot write it: /,
    );
    expect(await said()).toMatch(words);
  });

  it('of a service with a tag that is no version is checked, too', async () => {
    const { digest } = scene.engine.publish('nginx:stable');
    const labels = {
      'diun.enable': 'true',
      'com.docker.stack.namespace': 'site',
      'update.stack-file': '/none/stack.yml',
    };
    scene.swarm.addService({ name: 'site_web', image: `nginx:stable@${digest}`, labels });
    expect(await said()).toContain('/none/stack.yml (update.stack-file) is not there');
  });
});
