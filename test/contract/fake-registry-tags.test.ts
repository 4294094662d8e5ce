import { FakeEngine } from '../support/fake-engine';
import { TestClock } from '../support/test-clock';
import { registryTagsContract } from './registry-tags.contract';

registryTagsContract('the registry of the fake engine', () => {
  const engine = new FakeEngine(new TestClock());
  engine.host.images.away.add('away.example');
  engine.publish('away.example/app:1');
  return Promise.resolve({
    tags: { tags: (reference) => engine.registryTags(reference) },
    repository: 'registry.example/contract/app',
    publish: (tag) => engine.publish(`registry.example/contract/app:${tag}`),
    unknown: 'registry.example/contract/ap:1',
    away: 'away.example/app:1',
    takeDown: () => undefined,
  });
});
