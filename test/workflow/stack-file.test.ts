import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reconcile } from '../../src/decisions/reconcile';
import type { Update } from '../../src/domain/update';
import type { FakeImage } from '../support/fake-engine-types';
import { openScene, type Scene } from '../support/scene';
import type { FakeServiceSpec } from '../support/swarm/fake-swarm';

// A new tag of a service whose stack file is known by its label.
const WATCHED = { 'diun.enable': 'true', 'update.policy': 'automatic', 'com.docker.stack.namespace': 'site' };

let scene: Scene;
let old: FakeImage;
beforeEach(() => {
  scene = openScene();
  scene.swarm.init();
  old = scene.engine.publish('nginx:1.28');
});
afterEach(() => scene.close());

function run(fields: Partial<FakeServiceSpec> = {}): void {
  const labels = { ...WATCHED, ...fields.labels };
  scene.swarm.addService({ name: 'site_web', image: `nginx:1.28@${old.digest}`, ...fields, labels });
}

const only = (): Update => {
  expect(scene.updates()).toHaveLength(1);
  return scene.updates()[0] as Update;
};

describe('a new tag, with update.stack-file', () => {
  let file: string;
  beforeEach(() => {
    file = join(scene.folder, 'site', 'docker-stack.yml');
    mkdirSync(dirname(file));
    run({ labels: { 'diun.watch_repo': 'true', 'update.stack-file': file } });
  });
  async function updated(text: string | null): Promise<string | null> {
    if (text !== null) writeFileSync(file, text);
    scene.engine.publish('nginx:1.29');
    await reconcile(scene.deps);
    await scene.settle();
    expect(only()).toMatchObject({ status: 'succeeded' });
    return text === null ? null : readFileSync(file, 'utf8');
  }

  it('writes the tag into that file, and leaves nothing to do', async () => {
    const text = 'services:\n  web:\n    image: nginx:1.28 # the site\n  db:\n    image: nginx:1.28\n';
    expect(await updated(text)).toBe(text.replace('nginx:1.28 #', 'nginx:1.29 #'));
    expect(only()).toMatchObject({ followUp: null });
    expect(only().steps.at(-1)?.detail).toContain('line 3: "image: nginx:1.28" is now "image: nginx:1.29"');
  });

  it.each([
    [
      'a variable in its line',
      'services:\n  web:\n    image: nginx:${TAG}\n',
      /in \S+docker-stack\.yml, line 3, write/,
    ],
    ['another version there', 'services:\n  web:\n    image: nginx:1.27\n', /line 3, .*it names nginx:1\.27 there/],
    ['no such file', null, /it is not mounted at the same path/],
  ])('%s: names stack, service and place, and what a deploy would do', async (_, text, words) => {
    expect(await updated(text)).toBe(text);
    expect(only().followUp).toMatch(words);
    expect(only().followUp).toMatch(/service web of the stack site\. Until then, "docker stack deploy"/);
  });
});
