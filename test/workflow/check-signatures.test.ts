import { lookAtSignatures } from '../../src/decisions/signatures';
import { readContainers } from '../../src/containers/read-containers';
import { nginx, openScene, type Scene } from '../support/scene';
import { makeSigner, type Signer } from '../support/signer';

let scene: Scene;
let signer: Signer;
let stranger: Signer;
beforeEach(() => {
  scene = openScene();
  signer = makeSigner();
  stranger = makeSigner();
});
afterEach(() => {
  scene.close();
  signer.remove();
  stranger.remove();
});

/** A container of an image of its own; answers the reference by digest. */
function run(name: string, labels: Record<string, string> = {}): { at: string; digest: string } {
  const { digest } = scene.engine.addImage({ reference: `${name}:1` });
  scene.engine.runContainer(nginx({ name, image: `${name}:1`, ports: {}, labels }));
  return { at: `${name}@${digest}`, digest };
}
const images = () => scene.engine.host.images;
const look = async () => {
  const seen = await lookAtSignatures(scene.deps, await readContainers(scene.engine, null));
  return Object.fromEntries(seen.map(({ name, status, words }) => [name, [status, words]]));
};

test('check reports of every watched image whether it is signed, and as required', async () => {
  const verify = { 'update.verify': signer.rule };
  const verified = run('verified', verify);
  images().sign(verified.at, signer.bundle(verified.digest));
  const wrong = run('wrong', verify);
  images().sign(wrong.at, stranger.payload(wrong.digest));
  run('missing', verify);
  const signed = run('signed');
  images().sign(signed.at, stranger.payload(signed.digest));
  const attested = run('attested');
  images().sign(attested.at, stranger.bundle(attested.digest, 'https://slsa.dev/provenance/v1'));
  expect(await look()).toEqual({
    verified: ['verified', `the running image is signed by ${signer.rule}`],
    wrong: ['invalid', expect.stringMatching(/signed by another.*is refused: correct update\.verify/)],
    missing: ['missing', expect.stringMatching(/waits for approval: sign it, or set update\.verify=off/)],
    signed: [null, 'signed; set update.verify to require it'],
    attested: [null, 'not signed, and update.verify requires nothing'],
  });
});

test('a registry that does not answer is not an unsigned image', async () => {
  images().silentOnSignatures.add('docker.io');
  run('required', { 'update.verify': signer.rule });
  run('free');
  expect(await look()).toEqual({
    required: ['unknown', expect.stringMatching(/could not be checked, and no update starts before it is/)],
    free: [null, expect.stringMatching(/not known whether it is signed/)],
  });
});
