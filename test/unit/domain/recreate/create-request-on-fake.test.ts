import { createRequest } from '../../../../src/domain/recreate/create-request';
import { FakeEngine } from '../../../support/fake-engine';
import { TestClock } from '../../../support/test-clock';

it('makes a request that a second container is created from, beside the renamed first', async () => {
  const fake = new FakeEngine(new TestClock());
  fake.addImage({ reference: 'nginx:1.27', config: { Env: ['VERSION=1'], Volumes: { '/cache': {} } } });
  const id = fake.runContainer({
    name: 'web',
    image: 'nginx:1.27',
    labels: { 'diun.enable': 'true' },
    ports: { 8080: 80 },
    networks: ['front', 'back'],
  });
  const next = fake.publish('nginx:1.27', { config: { Env: ['VERSION=2'], Volumes: { '/cache': {} } } });

  const container = await fake.inspectContainer('web');
  const newId = await fake.pull(`nginx@${next.digest}`, () => undefined);
  const request = createRequest({
    container,
    oldImage: await fake.inspectImage(container.Image),
    newImage: await fake.inspectImage(newId),
    reference: 'nginx:1.27',
  });
  await fake.rename(id, 'web-old');
  await fake.tag(newId, 'nginx:1.27');
  const created = await fake.createContainer('web', request);
  await expect(fake.start(created)).rejects.toMatchObject({ code: 'engine_refused' });
  await fake.stop(id);
  await fake.start(created);

  const after = fake.container('web');
  expect(after.Image).toBe(newId);
  expect(after.Config.Env).toEqual(['VERSION=2']);
  expect(after.Mounts).toMatchObject([{ Name: container.Mounts[0]?.Name, Destination: '/cache' }]);
  expect(Object.keys(after.NetworkSettings.Networks)).toEqual(['front', 'back']);
  expect(fake.tagged('nginx:1.27')).toBe(newId);
  expect(fake.lines()).toEqual([
    `pull nginx@${next.digest}`,
    'rename web web-old',
    `tag ${newId} nginx:1.27`,
    'createContainer web',
    'start web',
    'stop web-old',
    'start web',
  ]);
});
