import fc from 'fast-check';
import type { ContainerInspect, ImageConfig, ImageInspect } from '../../../../src/domain/engine-inspect';
import { differences } from '../../../../src/domain/recreate/compare-containers';
import { createRequest } from '../../../../src/domain/recreate/create-request';
import { createdInspect } from '../../../support/fake-engine-create';
import type { FakeImage } from '../../../support/fake-engine-types';

const word = fc.constantFrom('a', 'b', 'c');
const words = fc.option(fc.array(word, { minLength: 1, maxLength: 2 }), { nil: undefined });
const environment = fc.dictionary(fc.constantFrom('ONE', 'TWO', 'THREE', 'FOUR'), word);
const labels = fc.dictionary(fc.constantFrom('one', 'two', 'three'), word);
const paths = fc.dictionary(fc.constantFrom('/one', '/two', '/three'), fc.constant({}));
const ports = fc.dictionary(fc.constantFrom('80/tcp', '81/tcp', '82/tcp'), fc.constant({}));
const seconds = fc.constantFrom(undefined, 1e9, 2e9);
const healthcheck = fc.record({
  Test: fc.option(fc.constantFrom<string[]>(['CMD', 'a'], ['CMD', 'b'], ['NONE']), { nil: undefined }),
  Interval: seconds,
  Timeout: seconds,
});

/** What an image or an operator may say, with few values, so that they often say the same. */
const config: fc.Arbitrary<ImageConfig> = fc.record({
  Env: environment.map((variables) => Object.entries(variables).map(([name, value]) => `${name}=${value}`)),
  Labels: labels,
  Volumes: paths,
  ExposedPorts: ports,
  Healthcheck: fc.option(healthcheck, { nil: undefined }),
  Entrypoint: words,
  Cmd: words,
  User: fc.constantFrom('', 'a', 'b'),
  WorkingDir: fc.constantFrom('', '/a', '/b'),
  StopSignal: fc.constantFrom(undefined, 'SIGINT', 'SIGQUIT'),
});

interface Case {
  operator: ImageConfig;
  oldImage: ImageInspect;
  newImage: ImageInspect;
  container: ContainerInspect;
}

const cases: fc.Arbitrary<Case> = fc
  .tuple(config, config, config, fc.boolean())
  .map(([operator, old, next, twoNetworks]) => {
    const [oldImage, newImage] = [imageOf('1', old), imageOf('2', next)];
    const connect = twoNetworks ? [{ network: 'back', endpoint: { Aliases: ['api'] } }] : [];
    const container = created('c', oldImage, {
      body: {
        ...operator,
        Image: 'x:1',
        HostConfig: { NetworkMode: 'front', AutoRemove: false },
        NetworkingConfig: { EndpointsConfig: { front: { Aliases: ['web'] } } },
      },
      connect,
    });
    return { operator, oldImage, newImage, container };
  });

function imageOf(id: string, image: ImageConfig): ImageInspect {
  return { Id: `sha256:${id.repeat(64)}`, RepoTags: [], RepoDigests: [], Config: image };
}

/** What the engine makes of a request: its merge, and a new name for every volume that the request does not name. */
function created(id: string, image: ImageInspect, request: ReturnType<typeof createRequest>): ContainerInspect {
  let volumes = 0;
  const fake: FakeImage = { id: image.Id, digest: image.Id, config: image.Config ?? {}, spec: {} };
  const newVolume = (): string => `volume-of-${id}-${++volumes}`;
  return createdInspect({
    id: id.repeat(64),
    name: id,
    created: new Date(0),
    image: fake,
    request,
    inherited: [],
    newVolume,
  });
}

function replacement({ container, oldImage, newImage }: Case): ContainerInspect {
  return created('d', newImage, createRequest({ container, oldImage, newImage, reference: 'x:2' }));
}

/** What only one of the images says must not decide about the other, so it is told by comparing with the operator alone. */
function ownOf(operator: ImageConfig, image: ImageConfig | null, field: 'Env' | 'Cmd'): string[] {
  return (operator[field] ?? []).filter((value) => !(image?.[field] ?? []).includes(value));
}

it('keeps every variable and label that only the operator gave', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const after = replacement(given).Config;
      expect(after.Env).toEqual(expect.arrayContaining(ownOf(given.operator, given.oldImage.Config, 'Env')));
      for (const [name, value] of Object.entries(given.operator.Labels ?? {})) {
        if (given.oldImage.Config?.Labels?.[name] !== value) expect(after.Labels?.[name]).toBe(value);
      }
    }),
  );
});

it('gives the new image every word where the operator said nothing', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const silent = created('c', given.oldImage, {
        body: {
          Image: 'x:1',
          HostConfig: { NetworkMode: 'default', AutoRemove: false },
          NetworkingConfig: { EndpointsConfig: {} },
        },
        connect: [],
      });
      const fresh = created('e', given.newImage, {
        body: {
          Image: 'x:2',
          HostConfig: { NetworkMode: 'default', AutoRemove: false },
          NetworkingConfig: { EndpointsConfig: {} },
        },
        connect: [],
      });
      const after = replacement({ ...given, container: silent });
      expect({ ...after.Config, Hostname: '' }).toEqual({ ...fresh.Config, Hostname: '' });
    }),
  );
});

it('keeps every volume by its name; new are only those that the new image declares anew, and those are told', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const after = replacement(given);
      for (const { Name, Destination } of given.container.Mounts) {
        expect(after.Mounts).toContainEqual(expect.objectContaining({ Name, Destination }));
      }
      const before = new Set(given.container.Mounts.map(({ Destination }) => Destination));
      const anew = after.Mounts.filter(({ Destination }) => !before.has(Destination)).map(
        ({ Destination }) => `Mounts ${Destination}`,
      );
      const told = differences(given.container, after, given).map(({ field }) => field);
      expect(told.sort()).toEqual(anew.sort());
    }),
  );
});

it('is the same whether it is made once or twice', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const once = replacement(given);
      const twice = created(
        'e',
        given.newImage,
        createRequest({ ...given, container: once, oldImage: given.newImage, reference: 'x:2' }),
      );
      expect(differences(once, twice, { oldImage: given.newImage, newImage: given.newImage })).toEqual([]);
    }),
  );
});
