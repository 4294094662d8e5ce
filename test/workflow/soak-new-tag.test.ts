import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestUpdate } from '../../src/decisions/request-update';
import type { Update } from '../../src/domain/update';
import { PINNED, pinnedProject } from '../support/pinned-project';
import { openScene, type Scene } from '../support/scene';

// The new tag is in the compose file by the time that the soak fails.

let scene: Scene;
beforeEach(() => {
  scene = openScene();
});
afterEach(() => scene.close());

async function failsInItsSoak(edit: (text: string) => string = (text) => text) {
  const project = await pinnedProject(scene, { labels: { 'update.soak': '30m' } });
  scene.engine.publish('nginx:1.27.4');
  await requestUpdate(scene.deps, { container: 'web-web-1', image: 'nginx:1.27.4' });
  await scene.settle();
  expect(project.read()).toContain('1.27.4');
  writeFileSync(join(project.folder, 'compose.yaml'), edit(project.read()));
  scene.engine.host.find('web-web-1').image.spec.health = 'crash-loop';
  await scene.clock.advance(60_000);
  await scene.settle();
  return { project, update: scene.updates().at(-1) as Update };
}

it('writes the tag from before the update again', async () => {
  const { project, update } = await failsInItsSoak();
  expect(update).toMatchObject({ status: 'rolled_back', followUp: null });
  expect(project.read()).toBe(PINNED);
  expect(scene.engine.container('web-web-1').Config.Image).toBe('nginx:1.27.3');
});

it('leaves it to the operator, in the mail too, where the file is no longer understood', async () => {
  const { update } = await failsInItsSoak((text) => text.replace('"nginx:1.27.4"', '"nginx:1.27.4${MORE}"'));
  expect(update).toMatchObject({ status: 'rolled_back', followUp: expect.stringContaining('nginx:1.27.3') });
  expect(scene.mails().at(-1)?.text.replace(/\s+/g, ' ')).toContain('It still names the version that failed.');
});
