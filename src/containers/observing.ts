import { codeOf } from '../domain/errors';
import { refuseWhileObserving } from '../domain/mode';
import type { Engine } from '../ports/engine';
import type { Store } from '../ports/store';
import { isOneOff } from './artifact-names';
import type { Swarm } from '../ports/swarm';

/** Calls that change neither a container nor a local name or image that it was made from. A new call must be added here or below. */
type Look =
  | 'address'
  | 'version'
  | 'containerIds'
  | 'containers'
  | 'images'
  | 'inspectContainer'
  | 'inspectImage'
  | 'registryDigest'
  | 'pull'
  | 'wait'
  | 'events'
  | 'logs'
  | 'execOutput'
  | 'changes'
  | 'stat'
  | 'archive';
type Changing = Omit<Engine, Look>;

/** Reads a dump to its end; writes nothing. */
const READS_ITS_INPUT = ['pg_restore', '-f', '/dev/null'];

/**
 * The engine while diun-pilot observes: every call that would change a container is refused with `observe_mode`, except on
 * diun-pilot's own one-offs (drills and checks). The second line of defence: the worker starts nothing that would call one.
 * An update or restore that was interrupted before the switch is finished or undone, since it may have stopped a container.
 */
export function observingEngine(engine: Engine, store: Pick<Store, 'updates' | 'restores'>): Engine {
  const own = new Set<string>();
  const interrupted = (): boolean =>
    store.updates.withStatus('running').length > 0 || store.restores.next()?.status === 'running';
  const refuse = (call: string): void => {
    if (!interrupted()) refuseWhileObserving('observe', `The engine call ${call} was refused.`);
  };
  const ownOnly = async (id: string, call: string): Promise<void> => {
    if (own.has(id) || (await isOwnByName(engine, id))) return;
    refuse(call);
  };
  const guarded: Changing = {
    tag: async (...args) => (refuse('tag'), engine.tag(...args)),
    untag: async (...args) => (refuse('untag'), engine.untag(...args)),
    removeImage: async (...args) => (refuse('remove image'), engine.removeImage(...args)),
    createContainer: async (name, request) => {
      if (!isOneOff(name)) refuse('create');
      const id = await engine.createContainer(name, request);
      if (isOneOff(name)) own.add(id);
      return id;
    },
    rename: async (id, name) => (refuse('rename'), engine.rename(id, name)),
    ...changing(engine, ownOnly),
  };
  // A proxy, since the methods of an engine are on its prototype.
  return new Proxy(engine, {
    get: (target, name) => {
      const found: unknown = Reflect.get(guarded, name) ?? Reflect.get(target, name, target);
      return typeof found === 'function' ? (found as () => unknown).bind(target) : found;
    },
  });
}

type OnNames = 'tag' | 'untag' | 'removeImage' | 'createContainer' | 'rename';

/** Calls on a container that exists. */
function changing(engine: Engine, ownOnly: (id: string, call: string) => Promise<void>): Omit<Changing, OnNames> {
  return {
    updateContainer: async (id, change) => (await ownOnly(id, 'update'), engine.updateContainer(id, change)),
    start: async (id) => (await ownOnly(id, 'start'), engine.start(id)),
    stop: async (id, ...rest) => (await ownOnly(id, 'stop'), engine.stop(id, ...rest)),
    remove: async (id, ...rest) => (await ownOnly(id, 'remove'), engine.remove(id, ...rest)),
    restart: async (id, ...rest) => (await ownOnly(id, 'restart'), engine.restart(id, ...rest)),
    extract: async (id, ...rest) => (await ownOnly(id, 'archive'), engine.extract(id, ...rest)),
    exec: async (id, command, ...rest) => {
      if (command[0] === 'nginx' && command.includes('-s')) await ownOnly(id, 'exec');
      return engine.exec(id, command, ...rest);
    },
    execInput: async (id, command, ...rest) => {
      if (command.join(' ') !== READS_ITS_INPUT.join(' ')) await ownOnly(id, 'exec');
      return engine.execInput(id, command, ...rest);
    },
  };
}

/** One that an earlier process has left over. */
async function isOwnByName(engine: Engine, id: string): Promise<boolean> {
  try {
    return isOneOff((await engine.inspectContainer(id)).Name.replace(/^\//, ''));
  } catch (error) {
    if (codeOf(error) === 'container_not_found') return false;
    throw error;
  }
}

/** The Swarm while diun-pilot observes: no service is changed, except that an interrupted update is finished or undone. */
export function observingSwarm(swarm: Swarm, { updates }: Pick<Store, 'updates'>): Swarm {
  const refuse = (): void => {
    if (updates.withStatus('running').length === 0)
      refuseWhileObserving('observe', 'The update of a service was refused.');
  };
  return {
    ...swarm,
    rollOut: async (seen, spec) => (refuse(), swarm.rollOut(seen, spec)),
    update: async (seen, spec) => (refuse(), swarm.update(seen, spec)),
    rollBack: async (seen) => (refuse(), swarm.rollBack(seen)),
  };
}
