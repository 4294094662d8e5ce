import { FakeImages, hex } from '../support/fake-engine-images';
import { makeSigner } from '../support/signer';
import { registrySignaturesContract } from './registry-signatures.contract';

registrySignaturesContract('the registry of the fake engine', () => {
  const images = new FakeImages();
  const signer = makeSigner();
  const repository = 'registry.example/contract/app';
  const publish = (tag: string): { at: string; digest: string } => {
    const { digest } = images.publish(`${repository}:${tag}`, {});
    return { at: `${repository}@${digest}`, digest };
  };
  const [unsigned, payload, bundle] = [publish('1'), publish('2'), publish('3')];
  images.sign(payload.at, signer.payload(payload.digest));
  images.sign(bundle.at, signer.bundle(bundle.digest));
  images.away.add('away.example');
  return Promise.resolve({
    signatures: images.registrySignatures,
    unsigned: unsigned.at,
    payload: payload.at,
    bundle: bundle.at,
    unknown: `${repository}@sha256:${hex('absent')}`,
    away: `away.example/app@sha256:${hex('absent')}`,
    takeDown: () => signer.remove(),
  });
});
