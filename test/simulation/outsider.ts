import { requestOf } from '../support/fake-engine-create';
import type { FakeEngine } from '../support/fake-engine';
import type { Act, Service } from './world';

/** What people and Compose do on the host, without a call of diun-pilot. */
export function actOnHost({ host }: Pick<FakeEngine, 'host'>, { spec }: Service, act: Act): void {
  const bearer = [...host.containers.values()].find(({ inspect }) => inspect.Name === `/${spec.name}`);
  // To start one beside the other would be the outsider's own two writers.
  const asideRuns = [...host.containers.values()].some(
    (one) => one.inspect.Name.startsWith(`/${spec.name}.diun-pilot-`) && host.state(one).Running,
  );
  const remove = (): void => {
    for (const one of [...host.containers.values()]) {
      const name = one.inspect.Name.slice(1);
      if (name !== spec.name && !(act !== 'rm' && name.startsWith(`${spec.name}.diun-pilot-`))) continue;
      host.stop(one);
      if (host.containers.has(one.inspect.Id)) host.remove(one.inspect.Id);
    }
  };
  if (act === 'prune') prune(host);
  else if (act === 'rm' || act === 'rm-all') remove();
  else if (act === 'up') {
    remove();
    host.start(host.create(spec.name, requestOf(spec)));
  } else if (act === 'tag') host.images.tags.set(spec.image, host.images.find('other:1').id);
  else if (bearer === undefined || asideRuns) return;
  else if (act === 'start') host.start(bearer);
  else {
    host.stop(bearer);
    if (act === 'restart') host.start(bearer);
  }
}

/** `docker system prune`, for every service at once: stopped containers, then images without a tag that no container has. */
function prune(host: FakeEngine['host']): void {
  for (const one of [...host.containers.values()]) if (!host.state(one).Running) host.remove(one.inspect.Id);
  const { onEngine, tags } = host.images;
  const used = new Set([...host.containers.values()].map(({ inspect }) => inspect.Image));
  const named = new Set(tags.values());
  for (const id of [...onEngine.keys()]) if (!used.has(id) && !named.has(id)) onEngine.delete(id);
}
