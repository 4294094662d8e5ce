import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistrySignatures } from '../../src/adapters/docker/registry/signatures';
import { run } from '../lab/command';
import type { ComposeProject } from '../lab/compose';
import { COSIGN, whyNoCosign } from '../lab/cosign';
import type { Pilot } from '../lab/pilot';
import { nginxService, SITE } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { announce, endOfUpdate, updateTo } from '../support/e2e-updates';
import { describeIf } from '../support/needs';

const SCRIPTS = join(__dirname, '../../scripts/release');

// A real registry, a real engine, and cosign as operators have it.
describeIf(whyNoCosign(), 'signatures by the real cosign', () => {
  const stage = openStage();
  let keys: string;
  let web: ComposeProject;
  let pilot: Pilot;
  const env = { ...process.env, COSIGN_PASSWORD: 'of the tests' };

  const name = (service: string): string => `sign-${stage.lab.id}/${service}`;
  const at = (service: string, digest: string): string => stage.lab.registry.reference(`${name(service)}@${digest}`);
  const sign = (service: string, digest: string): Promise<string> =>
    run(COSIGN, ['sign', '--yes', '--tlog-upload=false', '--key', join(keys, 'cosign.key'), at(service, digest)], {
      env,
    });
  const hear = (service: string, digest: string) =>
    announce(pilot, stage.lab.registry.reference(`${name(service)}:stable`), digest);
  const containerOf = async (service: string): Promise<string> =>
    String((await web.container(service))['Name']).replace(/^\//, '');

  beforeAll(async () => {
    const { registry, images } = stage.lab;
    keys = stage.lab.scratch('cosign');
    await run(COSIGN, ['generate-key-pair'], { cwd: keys, env });
    const labels = {
      ...{ 'diun.enable': 'true', 'update.policy': 'automatic' },
      'update.verify': `key:${join(keys, 'cosign.pub')}`,
    };
    const services = ['signed', 'unsigned', 'tampered'];
    for (const each of services) await registry.publishAndPull(images.NGINX_GOOD_1, `${name(each)}:stable`);
    const made = services.map(
      (each) => [each, nginxService(registry.reference(`${name(each)}:stable`), labels)] as const,
    );
    web = await stage.project('sign', Object.fromEntries(made), { files: SITE });
    pilot = await stage.pilot();
  });

  it('an index that is signed is pulled and runs', async () => {
    const { registry, images } = stage.lab;
    const platforms = ['amd64', 'arm64'].map((architecture, index) => ({
      image: index === 0 ? images.NGINX_GOOD_2 : images.NGINX_GOOD_1,
      platform: { os: 'linux', architecture },
    }));
    const digest = await registry.publishIndex(`${name('signed')}:stable`, platforms);
    await sign('signed', digest);
    await hear('signed', digest);
    expect(await endOfUpdate(pilot, await containerOf('signed'), digest)).toMatchObject({
      status: 'succeeded',
      signature: { status: 'verified', by: `key:${join(keys, 'cosign.pub')}` },
    });
  });

  it('an image that is not signed waits, and is not pulled', async () => {
    const { registry, images, docker } = stage.lab;
    const digest = await registry.publish(images.NGINX_GOOD_2, `${name('unsigned')}:stable`);
    await hear('unsigned', digest);
    expect(await endOfUpdate(pilot, await containerOf('unsigned'), digest)).toMatchObject({
      status: 'awaiting_approval',
      signature: { status: 'missing', by: null },
      reason: expect.stringContaining('update.verify requires a signature'),
    });
    expect(await docker.inspect('image', at('unsigned', digest))).toBeNull();
  });

  it('the signature of another image, stored as that of the new one, is refused', async () => {
    const { registry, images, docker } = stage.lab;
    const good = await registry.publish(images.NGINX_GOOD_1, `${name('tampered')}:good`);
    await sign('tampered', good);
    const digest = await registry.publish(images.NGINX_GOOD_2, `${name('tampered')}:stable`);
    const base = `http://${registry.address}/v2/${name('tampered')}/manifests`;
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const signature = await fetch(`${base}/${good.replace(':', '-')}.sig`, { headers: { Accept: type } });
    const body = await signature.text();
    const stored = await fetch(`${base}/${digest.replace(':', '-')}.sig`, {
      ...{ method: 'PUT', headers: { 'Content-Type': type }, body },
    });
    expect([signature.status, stored.status]).toEqual([200, 201]);
    await hear('tampered', digest);
    await updateTo(pilot, await containerOf('tampered'), digest);
    expect(await endOfUpdate(pilot, await containerOf('tampered'), digest)).toMatchObject({
      status: 'failed',
      error: { code: 'signature_invalid', message: expect.stringContaining('for another digest') },
      signature: { status: 'invalid', by: null },
    });
    expect(await docker.inspect('image', at('tampered', digest))).toBeNull();
  });

  it('the release scripts sign and attest exactly a digest, and the recipe verifies it', async () => {
    const { registry, images } = stage.lab;
    const digest = await registry.publish(images.NGINX_GOOD_2, `${name('release')}:1.2.3`);
    const [sbom, provenance] = [join(keys, 'sbom.json'), join(keys, 'provenance.json')];
    await run(join(SCRIPTS, 'sbom.sh'), [sbom], { cwd: join(SCRIPTS, '../..') });
    writeFileSync(provenance, await run(process.execPath, [join(SCRIPTS, 'provenance.mjs')]));
    const image = at('release', digest);
    await run(join(SCRIPTS, 'sign.sh'), [image, join(keys, 'cosign.key'), sbom, provenance], { env });
    const verified = await run(join(SCRIPTS, 'verify.sh'), [image, join(keys, 'cosign.pub')]);
    expect(verified).toContain('signature, SBOM and provenance verified');
    expect(await createRegistrySignatures({ dockerConfigDir: null }).of(image)).toHaveLength(1);
    const other = stage.lab.scratch('other-key');
    await run(COSIGN, ['generate-key-pair'], { cwd: other, env });
    expect(readFileSync(join(other, 'cosign.pub'), 'utf8')).not.toBe(readFileSync(join(keys, 'cosign.pub'), 'utf8'));
    await expect(run(join(SCRIPTS, 'verify.sh'), [image, join(other, 'cosign.pub')])).rejects.toThrow();
  });
});
