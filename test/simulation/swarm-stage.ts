import type { ServiceSpec } from '../../src/domain/services/swarm-inspect';
import type { FakeEngine } from '../support/fake-engine';
import type { FakeImage, ImageSpec } from '../support/fake-engine-types';
import { REAL_SHELL } from '../support/real-shell';
import type { Scene } from '../support/scene';
import type { FakeSwarm } from '../support/swarm/fake-swarm';
import type { ClientAct, SwarmMake, SwarmService, SwarmWorld } from './swarm-world';

/** Two good images of each service, between which another client changes, as a spec names them. */
export type Images = Map<string, { first: string; second: string }>;

/** Every service runs, on a good image. */
export function setSwarmStage({ engine, swarm }: Pick<Scene, 'engine' | 'swarm'>, { services }: SwarmWorld): Images {
  const images: Images = new Map();
  swarm.init();
  for (const service of services) {
    const first = pinned(service.reference, engine.publish(service.reference, imageOf(service)));
    const other = service.reference.replace(':1', ':2');
    images.set(service.name, { first, second: pinned(other, engine.publish(other, imageOf(service))) });
    addService(swarm, service, first);
    if (service.labels['backup.kind'] !== undefined)
      engine.files(taskOf(engine, service)).write('/data/first', service.name);
  }
  return images;
}

/** The registry's tag moves to a new image. */
export function publishForSwarm(engine: FakeEngine, service: SwarmService, make: SwarmMake): FakeImage {
  const { health, lastsMs, failsProbe = false } = make;
  const spec = { ...imageOf(service, failsProbe), health, slowMs: 12_000 };
  return engine.publish(service.reference, { ...spec, ...(lastsMs === undefined ? {} : { lastsMs }) });
}

/** A spec before and after; null: the service is not there. */
export interface Changed {
  before: ServiceSpec | null;
  after: ServiceSpec | null;
}

/** As the docker command line: from what it has just read. */
export async function clientActs(
  swarm: FakeSwarm,
  service: SwarmService,
  act: ClientAct,
  images: Images,
): Promise<Changed> {
  const { first = '', second = '' } = images.get(service.name) ?? {};
  const seen = await swarm.service(service.name).catch(() => null);
  if (seen === null) {
    if (act.act !== 'deploy') return { before: null, after: null };
    return { before: null, after: structuredClone(addService(swarm, service, first).Spec) };
  }
  const { Spec } = seen;
  const { TaskTemplate } = Spec;
  const image = TaskTemplate.ContainerSpec?.Image === second ? first : second;
  const withImage = (spec: ServiceSpec, Image: string): ServiceSpec => ({
    ...spec,
    TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, Image } },
  });
  if (act.act === 'rm') {
    swarm.remove(service.name);
    return { before: Spec, after: null };
  }
  if (act.act === 'rollback') await swarm.rollBack(seen);
  else if (act.act === 'scale') await swarm.update(seen, { ...Spec, Mode: { Replicated: { Replicas: act.replicas } } });
  else if (act.act === 'image') await swarm.update(seen, withImage(Spec, image));
  else if (act.act === 'force')
    await swarm.update(seen, { ...Spec, TaskTemplate: { ...TaskTemplate, ForceUpdate: seen.Version.Index } });
  else if (act.act === 'label')
    await swarm.update(seen, { ...Spec, Labels: { ...Spec.Labels, note: String(seen.Version.Index) } });
  else await swarm.update(seen, withImage({ ...Spec, Mode: modeOf(service), Labels: service.labels }, first));
  return { before: Spec, after: (await swarm.service(service.name)).Spec };
}

function modeOf({ spec, replicas }: SwarmService): ServiceSpec['Mode'] {
  return spec.Mode ?? { Replicated: { Replicas: replicas } };
}

function addService(swarm: FakeSwarm, service: SwarmService, image: string): ReturnType<FakeSwarm['addService']> {
  const { name, labels, replicas, node, spec } = service;
  return swarm.addService({ name, image, labels, replicas, node, spec: structuredClone(spec) });
}

function taskOf(engine: FakeEngine, { name }: SwarmService): string {
  return engine.containerNames().find((each) => each.startsWith(`${name}.1.`)) ?? '';
}

function pinned(reference: string, { digest }: FakeImage): string {
  return `${reference}@${digest}`;
}

function imageOf({ hasHealthcheck, labels }: SwarmService, failsProbe = false): ImageSpec {
  const ask = failsProbe ? { exitCode: 7, stderr: 'it does not answer' } : {};
  const config = hasHealthcheck ? { Healthcheck: { Test: ['CMD', 'ask'], Interval: 5e9 } } : {};
  return { config, scripts: { ...REAL_SHELL, ...(labels['update.probe'] === undefined ? {} : { ask }) } };
}
