import { createRegistryTags } from '../../src/adapters/docker/registry/tags';
import { registryTagsContract } from '../contract/registry-tags.contract';
import { freePort } from '../lab/free-port';
import { openStage } from '../support/e2e-stage';

const stage = openStage();

registryTagsContract('a real registry, asked over HTTP,', async () => {
  const { images, registry, id } = stage.lab;
  const name = `tags-${id}/app`;
  let published = 0;
  return {
    tags: createRegistryTags({ dockerConfigDir: null }),
    repository: registry.reference(name),
    publish: (tag) =>
      registry.publish(published++ % 2 === 0 ? images.NGINX_GOOD_1 : images.NGINX_GOOD_2, `${name}:${tag}`),
    unknown: registry.reference(`tags-${id}/ap:1`),
    away: `127.0.0.1:${await freePort()}/app:1`,
    takeDown: () => undefined,
  };
});
