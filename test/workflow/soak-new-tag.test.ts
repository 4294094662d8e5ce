import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestUpdate } from '../../src/decisions/request-update';
import { sendDigest } from '../../src/notifications/digest';
import type { Update } from '../../src/domain/update';
import { PINNED, type PinnedOptions, type PinnedProject, pinnedProject } from '../support/pinned-project';
import { openScene, type Scene } from '../support/scene';

// The new tag is in the compose file by the time that the soak fails.

let scene: Scene;
beforeEach(() => {
  scene = openScene();
});
afterEach(() => scene.close());

async function updateToNewTag(options: PinnedOptions = {}): Promise<PinnedProject> {
  const project = await pinnedProject(scene, { ...options, labels: { 'update.soak': '30m' } });
  scene.engine.publish('nginx:1.27.4');
  await requestUpdate(scene.deps, { container: 'web-web-1', image: 'nginx:1.27.4' });
  await scene.settle();
  return project;
}

async function failsInItsSoak(edit: (text: string) => string = (text) => text) {
  const project = await updateToNewTag();
  expect(project.read()).toContain('1.27.4');
  writeFileSync(join(project.folder, 'compose.yaml'), edit(project.read()));
  return { project, update: await rolledBack() };
}

async function rolledBack(): Promise<Update> {
  scene.engine.host.find('web-web-1').image.spec.health = 'crash-loop';
  await scene.clock.advance(60_000);
  await scene.settle();
  return scene.updates().at(-1) as Update;
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
  expect(scene.mails().at(-1)?.text.replace(/\s+/g, ' ')).toContain(
    'The compose file still names the version that failed.',
  );
});

it('a digest after that does not name the step that was left before: it would bring the failed version back', async () => {
  const unclear = PINNED.replace('nginx:1.27.3', 'nginx:${VERSION}');
  await updateToNewTag({ files: { 'compose.yaml': unclear } });
  expect(scene.updates()).toMatchObject([{ status: 'succeeded', followUp: expect.stringContaining('nginx:1.27.4') }]);
  expect(await rolledBack()).toMatchObject({ status: 'rolled_back' });
  await sendDigest(scene.deps);
  const sent = scene.mails().at(-1);
  expect(sent).toMatchObject({ kind: 'digest', subject: expect.not.stringContaining('manual step') });
  expect(sent?.text.replace(/\s+/g, ' ')).toContain('web-web-1: updated, but it failed in its soak since');
  expect(sent?.text).not.toContain('1.27.4');
});
