import { reloadNginx } from '../containers/nginx';
import { inspectIfReadable, inspectIfThere, readContainers } from '../containers/read-containers';
import { runsNginx } from '../domain/application';
import type { ContainerInspect } from '../domain/engine-inspect';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { addressesIn } from '../domain/health/neighbour';
import type { RestoreRun } from './restore-run';

/**
 * Reloads each watched nginx that shares a network with a container that the restore has stopped and that has another address by now:
 * an nginx keeps the addresses that it has resolved, and would answer 502. (An update does so by what it noted before,
 * updates/neighbours.) Resolves with what was done, as sentences. Rejects only with `engine_unreachable`.
 */
export async function reloadAfterRestore(run: RestoreRun): Promise<string[]> {
  try {
    const moved = await whoMoved(run);
    return moved.length === 0 ? [] : await reloadNext(run, moved);
  } catch (error) {
    rethrowEngineLost(error);
    run.logger.warn('it is not known whether nginx must be reloaded after a restore', { reason: messageOf(error) });
    return [`It is not known whether an nginx must be reloaded: ${messageOf(error)}.`];
  }
}

async function whoMoved({ engine, journal }: RestoreRun): Promise<ContainerInspect[]> {
  const moved: ContainerInspect[] = [];
  for (const { id, addresses = [] } of journal.stopped) {
    const container = await inspectIfThere(engine, id);
    const now = container === null ? [] : addressesIn(container);
    if (container !== null && addresses.length > 0 && now.length > 0 && now.join() !== addresses.join())
      moved.push(container);
  }
  return moved;
}

async function reloadNext(run: RestoreRun, moved: readonly ContainerInspect[]): Promise<string[]> {
  const done: string[] = [];
  for (const { id, labels, running, self } of await readContainers(run.engine, run.selfId)) {
    const inspect = labels.watched && running && !self ? await inspectIfReadable(run.engine, id) : null;
    if (inspect === null || !runsNginx(labels, inspect.Config.Env)) continue;
    const near = moved.filter((each) => shareNetwork(each, inspect)).map(nameOf);
    if (near.length > 0) done.push(await reload(run, inspect, near));
  }
  return done;
}

function shareNetwork(a: ContainerInspect, b: ContainerInspect): boolean {
  return Object.keys(a.NetworkSettings.Networks).some((network) => network in b.NetworkSettings.Networks);
}

function nameOf({ Name }: ContainerInspect): string {
  return Name.slice(1);
}

async function reload(run: RestoreRun, container: ContainerInspect, moved: readonly string[]): Promise<string> {
  const name = nameOf(container);
  const why = `${moved.join(', ')} ${moved.length === 1 ? 'has another address' : 'have other addresses'}`;
  run.onProgress(`reloading ${name}`);
  const reloaded = await reloadNginx(run.engine, container);
  run.logger.info('nginx is reloaded after a restore', { container: name, reason: why, how: reloaded.how });
  if (reloaded.how === 'refused') return `${name} could not be reloaded, although ${why}: ${reloaded.why}.`;
  return `${name} was ${reloaded.how}, because ${why}.`;
}
