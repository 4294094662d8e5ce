import type { FakeEngine } from '../support/fake-engine';
import type { FakeImage, ImageSpec } from '../support/fake-engine-types';
import { REAL_SHELL } from '../support/real-shell';
import type { SimulatedDatabase } from './database';
import { answersOfProbes, isProbed } from './probes';
import type { Make, Service, World } from './world';

/** Of the database server. */
export const DATA_DIRECTORY = '/var/lib/postgresql/data';

/** Every container of the world runs, on a good image; a database before those that depend on it. */
export function setStage(engine: FakeEngine, { services }: World, database: SimulatedDatabase): void {
  engine.addImage({ reference: 'other:1', scripts: answersOfProbes(false) });
  const edge = engine.runContainer({ name: 'edge', image: 'other:1', restart: 'always' });
  for (const service of services.toSorted((a, b) => Number(isServer(b)) - Number(isServer(a)))) {
    const { spec, handover } = service;
    if (handover) spec.hostConfig = { NetworkMode: `container:${edge}` };
    if (engine.tagged(spec.image) === null)
      engine.addImage({ reference: spec.image, ...imageOf(service, database, service.failsFirst) });
    engine.runContainer(spec);
    if (isServer(service)) engine.files(spec.name).write(`${DATA_DIRECTORY}/PG_VERSION`, '15\n');
    if (hasFiles(service)) engine.files(spec.name).write('/data/first', spec.name);
  }
}

/** The registry's tag moves to a new image. */
export function publish(
  engine: FakeEngine,
  service: Service,
  { health, lastsMs, migrates = false, failsProbe = false }: Make,
  database: SimulatedDatabase,
): FakeImage {
  const lasts = lastsMs === undefined ? {} : { lastsMs };
  const spec = { ...imageOf(service, database, failsProbe), health, slowMs: 12_000, ...lasts };
  const image = engine.publish(service.spec.image, spec);
  if (migrates) database.published(image.id);
  return image;
}

/** Data of its own, which are files under /data. */
export function hasFiles(service: Service): boolean {
  return service.spec.volumes !== undefined && !isServer(service);
}

function isServer({ role }: Service): boolean {
  return role === 'database';
}

/** With a shell, in which a restore moves files. */
function imageOf(service: Service, database: SimulatedDatabase, failsProbe = false): ImageSpec {
  const Healthcheck = { Test: ['CMD', 'ask'], Interval: 5e9 };
  const check = service.hasHealthcheck ? { Healthcheck } : {};
  const probes = isProbed(service) ? answersOfProbes(failsProbe) : {};
  if (!isServer(service)) return { scripts: { ...REAL_SHELL, ...probes }, config: check };
  const { config, scripts } = database.image;
  return { scripts: { ...REAL_SHELL, ...scripts }, config: { ...config, ...check } };
}
