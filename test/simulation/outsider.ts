import { requestOf } from '../support/fake-engine-create';
import type { FakeEngine } from '../support/fake-engine';
import type { FakeContainer } from '../support/fake-engine-types';
import type { FakeHost } from '../support/fake-engine-host';
import type { Act, Service } from './world';

/** What people and Compose do on the host, without a call of diun-pilot. Throws as the engine does. */
export function actOnHost({ host }: Pick<FakeEngine, 'host'>, service: Service, act: Act): void {
  const { name } = service.spec;
  const bearer = bearerOf(host, name);
  const all = ofService(host, service);
  const aside = all.filter((one) => one !== bearer);
  const acts: Record<Act, () => void> = {
    up: () => {
      pullIfMissing(host, service.spec.image);
      remove(host, all);
      host.start(host.create(name, requestOf(service.spec)));
    },
    rm: () => remove(host, bearer ? [bearer] : []),
    'rm-all': () => remove(host, all),
    prune: () => prune(host),
    tag: () => host.images.tags.set(service.spec.image, host.images.find('other:1').id),
    stop: () => bearer && host.stop(bearer),
    start: () => bearer && host.start(bearer),
    restart: () => restart(host, bearer ? [bearer] : []),
    pause: () => bearer && host.state(bearer).Running && host.pause(bearer),
    unpause: () => bearer && host.pause(bearer, false),
    'start-aside': () => each(aside, (one) => host.start(one)),
    'compose-stop': () => each(all, (one) => host.stop(one)),
    'compose-start': () => each(all, (one) => host.start(one)),
    'compose-restart': () => restart(host, all),
  };
  acts[act]();
}

/** As Compose does: the container may have been moved to another tag, and the image of this one removed. */
function pullIfMissing({ images }: FakeHost, reference: string): void {
  if (images.tags.has(reference)) return;
  const repository = reference.replace(/:[^:]*$/, '');
  const { id } = images.pull(`${repository}@${images.registryDigest(reference)}`);
  images.tag(id, reference);
}

export function bearerOf(host: FakeHost, name: string): FakeContainer | undefined {
  return [...host.containers.values()].find(({ inspect }) => inspect.Name === `/${name}`);
}

/** Those with the labels of the service, on all of which Compose acts, and those that only have a name of it. */
export function ofService(host: FakeHost, { spec }: Pick<Service, 'spec'>): FakeContainer[] {
  const [project, service] = ['com.docker.compose.project', 'com.docker.compose.service'];
  return [...host.containers.values()].filter(({ inspect: { Name, Config } }) => {
    const isNamed = Name === `/${spec.name}` || Name.startsWith(`/${spec.name}.diun-pilot-`);
    const isLabelled = [project, service].every((label) => Config.Labels?.[label] === spec.labels?.[label]);
    return isNamed || isLabelled;
  });
}

function restart(host: FakeHost, which: readonly FakeContainer[]): void {
  for (const one of which) host.stop(one);
  each(which, (one) => host.start(one));
}

/** All are tried; throws as the first that failed. */
function each(which: readonly FakeContainer[], act: (one: FakeContainer) => void): void {
  const failures: unknown[] = [];
  for (const one of which) {
    try {
      act(one);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function remove(host: FakeHost, which: readonly FakeContainer[]): void {
  for (const one of which) {
    host.stop(one);
    if (host.containers.has(one.inspect.Id)) host.remove(one.inspect.Id);
  }
}

/** `docker system prune`, for every service at once: stopped containers, then images without a tag that no container has. */
function prune(host: FakeHost): void {
  remove(
    host,
    [...host.containers.values()].filter((one) => !host.state(one).Running),
  );
  const { onEngine, tags } = host.images;
  const used = new Set([...host.containers.values()].map(({ inspect }) => inspect.Image));
  const named = new Set(tags.values());
  for (const id of [...onEngine.keys()]) if (!used.has(id) && !named.has(id)) onEngine.delete(id);
}
