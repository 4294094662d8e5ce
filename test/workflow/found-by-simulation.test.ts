import { nginx, openScene } from '../support/scene';

// What worlds of `npm run simulate` have shown, as short as it can be said. The seed is that of the first find.

it('no step runs on after the end of an update that a crash and an outsider cut short (seed 7)', async () => {
  const first = openScene();
  first.engine.addImage({ reference: 'nginx:stable' });
  const oldId = first.engine.runContainer(nginx());
  const next = first.engine.publish('nginx:stable');
  first.hear('docker.io/library/nginx:stable', next.digest);
  await Promise.race([first.engine.crashAt('pull', 'after'), first.settle()]);
  first.engine.host.stop(first.engine.host.find(oldId));
  first.engine.host.remove(oldId);
  first.engine.runContainer(nginx());
  const second = first.restart();
  await second.settle();
  const [update] = second.updates();
  expect(update).toMatchObject({ status: 'failed', error: { code: 'changed_meanwhile' } });
  expect(update?.steps.find(({ name }) => name === 'pull')).toMatchObject({
    status: 'failed',
    detail: 'It was interrupted.',
    finishedAt: expect.any(String),
  });
  second.close();
});
