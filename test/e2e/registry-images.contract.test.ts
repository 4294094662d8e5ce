import { createRegistryImages } from '../../src/adapters/docker/registry/images';
import { registryImagesContract } from '../contract/registry-images.contract';
import { freePort } from '../lab/free-port';
import type { ImageConfig } from '../../src/ports/registry';
import { openStage } from '../support/e2e-stage';

const stage = openStage();
async function configOf(image: string): Promise<ImageConfig> {
  const printed = await stage.lab.docker.run(['image', 'inspect', '--format', '{{json .Config}}', image]);
  const { Labels, Env } = JSON.parse(printed) as { Labels?: Record<string, string> | null; Env?: string[] | null };
  return { labels: Labels ?? {}, env: Env ?? [] };
}

const ABSENT = `sha256:${'a'.repeat(64)}`;

registryImagesContract('a real registry, asked over HTTP,', async () => {
  const { images, registry, id } = stage.lab;
  const name = `images-${id}/app`;
  const repository = registry.reference(name);
  const own = { os: 'linux', architecture: 'amd64' };
  const other = { os: 'linux', architecture: 'arm64' };
  const attestation = { os: 'unknown', architecture: 'unknown' };
  const both = [
    { image: images.NGINX_GOOD_1, platform: own },
    { image: images.NGINX_GOOD_2, platform: other },
  ];
  return {
    images: createRegistryImages({ dockerConfigDir: null }),
    repository,
    own: { ...own, variant: '' },
    other: { ...other, variant: '' },
    image: await registry.publish(images.NGINX_GOOD_1, `${name}:1`),
    index: await registry.publishIndex(`${name}:1`, both),
    grown: await registry.publishIndex(`${name}:1`, [...both, { image: images.NGINX_GOOD_2, platform: attestation }]),
    unknown: `${repository}@${ABSENT}`,
    away: `127.0.0.1:${await freePort()}/app@${ABSENT}`,
    config: await configOf(images.NGINX_GOOD_1),
    takeDown: () => undefined,
  };
});
