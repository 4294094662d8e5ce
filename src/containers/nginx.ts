import { BOUNDS } from '../domain/bounds';
import type { ContainerInspect } from '../domain/engine-inspect';
import { readWithin } from '../lib/streams';
import type { Engine } from '../ports/engine';
import { execInside, lastWords } from '../probes/exec-probe';

/** What `nginx -T` prints in a running container. Rejects as `Engine.execOutput`, also if the configuration does not pass. */
export async function nginxConfiguration(engine: Engine, id: string): Promise<string> {
  return (await readWithin(await engine.execOutput(id, ['nginx', '-T']), BOUNDS.nginxConfiguration)).toString();
}

/** `refused`: the configuration does not pass `nginx -t`, and nothing was done. */
export type Reloaded = { how: 'reloaded' } | { how: 'restarted' | 'refused'; why: string };

/**
 * Makes an nginx load its configuration, and with it the addresses that it names; requests in progress are completed. If it takes no
 * reload, the container is restarted. Doing it twice is fine. Rejects as `Engine.restart`.
 */
export async function reloadNginx(engine: Engine, container: ContainerInspect): Promise<Reloaded> {
  const target = { engine, container, addresses: [] };
  const test = await execInside(target, ['nginx', '-t']);
  if ('failure' in test) return { how: 'refused', why: test.failure };
  if (test.exitCode !== 0) return { how: 'refused', why: `nginx -t exits ${test.exitCode}: ${lastWords(test)}` };
  const reload = await execInside(target, ['nginx', '-s', 'reload']);
  if (!('failure' in reload) && reload.exitCode === 0) return { how: 'reloaded' };
  await engine.restart(container.Id);
  return { how: 'restarted', why: 'failure' in reload ? reload.failure : lastWords(reload) };
}
