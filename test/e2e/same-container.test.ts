import type { ContainerInspect, ImageInspect } from '../../src/domain/engine-inspect';
import { differences } from '../../src/domain/recreate/compare-containers';
import { createRequest } from '../../src/domain/recreate/create-request';
import { withComposeProject } from '../support/situations/compose-situation';
import { engineInLab } from '../support/situations/engine-in-lab';
import { closeStage, openStage, removeContainers, runSituation } from '../support/situations/run-situation';
import { buildSituationImages, type SituationImages } from '../support/situations/situation-images';
import { situations } from '../support/situations/situations';
import { MOUNT_TAMPERINGS, networkTamperings, tamperings, type Tampering } from '../support/situations/tamperings';

const { docker, engine, base, prefix } = engineInLab();
const PREFIX = prefix('same');

let images: SituationImages;
let oldImage: ImageInspect;
let newImage: ImageInspect;

beforeAll(async () => {
  images = await buildSituationImages(docker, base, PREFIX);
  [oldImage, newImage] = [await engine.inspectImage(images.old), await engine.inspectImage(images.new)];
  await openStage(docker, PREFIX, images.old);
});

afterAll(async () => {
  await closeStage(docker, PREFIX);
  await docker.run(['rmi', images.old, images.new]);
});

function requestFor(container: ContainerInspect): ReturnType<typeof createRequest> {
  return createRequest({ container, oldImage, newImage, reference: images.new });
}

/** Carried by name, they outlive both containers. */
async function removeAnonymousVolumes(container: ContainerInspect | undefined): Promise<void> {
  const names = (container?.Mounts ?? []).flatMap(({ Name }) => (Name && /^[0-9a-f]{64}$/.test(Name) ? [Name] : []));
  if (names.length > 0) await docker.attempt(['volume', 'rm', ...names]);
}

it.each(situations(PREFIX).map((situation) => [situation.name, situation] as const))(
  'makes the same container on the new image: %s',
  async (_, situation) => {
    const name = await runSituation(docker, PREFIX, images.old, situation);
    const before = await engine.inspectContainer(name);
    const id = await engine.createContainer(`${name}-new`, requestFor(before));
    try {
      const created = await engine.inspectContainer(id);
      expect(created.Image).toBe(newImage.Id);
      expect(created.Config.Image).toBe(images.new);
      expect(differences(before, created, { oldImage, newImage })).toEqual([]);
      await engine.stop(before.Id, 0);
      await engine.start(id);
      const running = await engine.inspectContainer(id);
      expect(running.State.Running).toBe(true);
      expect(differences(before, running, { oldImage, newImage })).toEqual([]);
    } finally {
      await docker.attempt(['rm', '--force', before.Id, id]);
      await removeAnonymousVolumes(before);
    }
  },
  60_000,
);

it('leaves nothing for compose to recreate after an update of the same tag', async () => {
  const project = `${PREFIX}-compose`;
  const tag = `${PREFIX}/moving:1`;
  await docker.run(['tag', images.old, tag]);
  let compared: ContainerInspect | undefined;
  await withComposeProject(docker, project, tag, async (name, composeUp) => {
    const before = await engine.inspectContainer(name);
    await docker.run(['tag', images.new, tag]);
    const request = createRequest({ container: before, oldImage, newImage, reference: tag });
    await engine.rename(before.Id, `${name}-old`);
    const id = await engine.createContainer(name, request);
    expect(differences(before, await engine.inspectContainer(id), { oldImage, newImage })).toEqual([]);
    await engine.stop(before.Id, 0);
    await engine.remove(before.Id);
    await engine.start(id);
    await composeUp();
    expect((await engine.inspectContainer(name)).Id).toBe(id);
    compared = before;
  });
  await removeAnonymousVolumes(compared);
  await docker.run(['rmi', tag]);
});

describe('a request that is not the same container', () => {
  let everything: ContainerInspect;
  let networked: ContainerInspect;

  beforeAll(async () => {
    const find = (name: string) => situations(PREFIX).find((situation) => situation.name === name)!;
    const start = async (name: string) => runSituation(docker, PREFIX, images.old, find(name));
    everything = await engine.inspectContainer(await start('everything'));
    networked = await engine.inspectContainer(await start('two-networks'));
  });

  afterAll(() => removeContainers(docker, `name=${PREFIX}-tampered`));

  async function fieldsAfter(container: ContainerInspect, { tamper }: Tampering): Promise<string[]> {
    const request = requestFor(container);
    tamper(request);
    const id = await engine.createContainer(`${PREFIX}-tampered`, request);
    try {
      return differences(container, await engine.inspectContainer(id), { oldImage, newImage }).map(
        ({ field }) => field,
      );
    } finally {
      await docker.run(['rm', '--volumes', id]);
    }
  }

  it.each(tamperings().map((tampering) => [tampering.field, tampering] as const))(
    'is told: %s',
    async (field, tampering) => {
      expect(await fieldsAfter(everything, tampering)).toContain(field);
    },
  );

  it.each(MOUNT_TAMPERINGS.map((tampering) => [tampering.field, tampering] as const))(
    'is told: %s',
    async (field, tampering) => {
      expect(await fieldsAfter(everything, tampering)).toContain(field);
    },
  );

  it.each(
    networkTamperings(`${PREFIX}-front`, `${PREFIX}-back`).map((tampering) => [tampering.field, tampering] as const),
  )('is told: %s', async (field, tampering) => {
    expect(await fieldsAfter(networked, tampering)).toContain(field);
  });
});
