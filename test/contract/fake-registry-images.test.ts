import { FakeImages, hex } from '../support/fake-engine-images';
import { registryImagesContract } from './registry-images.contract';

registryImagesContract('the registry of the fake engine', () => {
  const images = new FakeImages();
  const repository = 'registry.example/contract/app';
  const labels = { 'org.opencontainers.image.version': '1.2.3' };
  const labelled = { config: { Labels: labels, Env: ['PG_MAJOR=17'] } };
  const variants = [{ platform: 'linux/arm64' }];
  const image = images.publish(`${repository}:1`, labelled);
  const index = images.publish(`${repository}:1`, { id: image.id, variants, ...labelled });
  const grown = images.publish(`${repository}:1`, { id: image.id, variants, ...labelled });
  const absent = `sha256:${hex('absent')}`;
  images.away.add('away.example');
  return Promise.resolve({
    images: images.registryImages,
    repository,
    own: { os: 'linux', architecture: 'amd64', variant: '' },
    other: { os: 'linux', architecture: 'arm64', variant: '' },
    image: image.digest,
    index: index.digest,
    grown: grown.digest,
    config: { labels, env: ['PG_MAJOR=17'] },
    unknown: `${repository}@${absent}`,
    away: `away.example/app@${absent}`,
    takeDown: () => undefined,
  });
});
