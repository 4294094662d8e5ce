import type { FakeEngine } from '../support/fake-engine';
import type { FakeImage, ImageSpec } from '../support/fake-engine-types';
import { REAL_SHELL } from '../support/real-shell';
import type { Make, Service, World } from './world';

/** Every container of the world runs, on a good image. */
export function setStage(engine: FakeEngine, { services }: World): void {
  engine.addImage({ reference: 'other:1' });
  const edge = engine.runContainer({ name: 'edge', image: 'other:1', restart: 'always' });
  for (const service of services) {
    const { spec, handover } = service;
    if (handover) spec.hostConfig = { NetworkMode: `container:${edge}` };
    engine.addImage({ reference: spec.image, ...imageOf(service) });
    engine.runContainer(spec);
    if (spec.volumes !== undefined) engine.files(spec.name).write('/data/first', spec.name);
  }
}

/** The registry's tag moves to a new image. */
export function publish(engine: FakeEngine, service: Service, { health, lastsMs }: Make): FakeImage {
  const lasts = lastsMs === undefined ? {} : { lastsMs };
  return engine.publish(service.spec.image, { ...imageOf(service), health, slowMs: 12_000, ...lasts });
}

/** With a shell, in which a restore moves files. */
function imageOf({ hasHealthcheck }: Service): ImageSpec {
  const config = hasHealthcheck ? { config: { Healthcheck: { Test: ['CMD', 'ask'], Interval: 5e9 } } } : {};
  return { scripts: { ...REAL_SHELL }, ...config };
}
