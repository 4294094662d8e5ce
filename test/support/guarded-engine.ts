import { createGuard, type Guard, type GuardedCall } from '../../src/adapters/docker/socket-proxy/guard/guard';
import type { Sight } from '../../src/adapters/docker/socket-proxy/guard/family';
import { codeOf, EngineError } from '../../src/domain/errors';
import type { Engine } from '../../src/ports/engine';
import type { FakeEngine } from './fake-engine';

type Asked = Partial<GuardedCall> & Pick<GuardedCall, 'call'>;

/** What the guard sees of a fake engine, without a trace in its transcript. */
export function sightOfFake(engine: FakeEngine): Sight {
  const ifThere = <T>(look: () => T): Promise<T | null> => {
    try {
      return Promise.resolve(look());
    } catch (error) {
      if (['container_not_found', 'image_not_found'].includes(codeOf(error))) return Promise.resolve(null);
      throw error;
    }
  };
  return {
    container: (nameOrId) => ifThere(() => engine.container(nameOrId)),
    containers: () =>
      Promise.resolve(
        [...engine.host.containers.values()].map(({ inspect }) => ({ id: inspect.Id, names: [inspect.Name.slice(1)] })),
      ),
    image: (reference) => ifThere(() => engine.host.images.inspect(reference)),
    volume: () => Promise.resolve(null),
    service: () => Promise.resolve(null),
    services: () => Promise.resolve([]),
    dataRoot: () => Promise.resolve('/srv/engine'),
    // As in every image of Debian and Alpine.
    realPath: (_, path) => Promise.resolve(path.replace(/^\/var\/run(?=\/|$)/, '/run')),
  };
}

/** The fake engine behind the guard of the socket proxy: what it refuses, the engine refuses. `refused` lists it. */
export function guardedEngine(engine: FakeEngine, refused: string[] = [], guard: Guard = createGuard()): Engine {
  const sight = sightOfFake(engine);
  const ask = async (asked: Asked): Promise<((id: string) => void) | undefined> => {
    const call: GuardedCall = { isHead: false, place: '', query: {}, body: null, ...asked };
    const json = JSON.parse(JSON.stringify(call)) as GuardedCall;
    const verdict = await guard.judge(sight, json);
    if (verdict.passes) return verdict.noted;
    // The engine itself says so.
    if (verdict.status === 404) return undefined;
    refused.push(`${asked.call} ${asked.place ?? asked.query?.['name'] ?? ''}: ${verdict.reason}`);
    throw new EngineError('engine_refused', `The Docker Engine refused: ${verdict.reason}`);
  };
  const on = (call: string, place: string, more: Partial<GuardedCall> = {}) => ask({ call, place, ...more });
  const exec = (id: string, Cmd: string[], { user, env }: { user?: string; env?: string[] } = {}) =>
    on('POST /containers/{id}/exec', id, { body: { AttachStdout: true, Tty: false, Cmd, User: user, Env: env } });
  const guarded: Partial<Engine> = {
    pull: async (...args) => {
      const [fromImage = '', tag = ''] = args[0].split('@');
      await ask({ call: 'POST /images/create', query: { fromImage, tag } });
      return engine.pull(...args);
    },
    tag: async (imageId, reference) => {
      await on('POST /images/{name}/tag', imageId, { query: { repo: reference } });
      return engine.tag(imageId, reference);
    },
    createContainer: async (name, request) => {
      const { body } = request;
      const noted = await ask({ call: 'POST /containers/create', query: { name }, body: body as never });
      const id = await engine.createContainer(name, request);
      noted?.(id);
      for (const { network, endpoint } of request.connect) {
        const asked = { Container: id, EndpointConfig: endpoint };
        await on('POST /networks/{id}/connect', network, { body: asked });
      }
      return id;
    },
    untag: async (reference) => (await on('DELETE /images/{name}', reference), engine.untag(reference)),
    removeImage: async (id) => (await on('DELETE /images/{name}', id), engine.removeImage(id)),
    start: async (id) => (await on('POST /containers/{id}/start', id), engine.start(id)),
    stop: async (...args) => (await on('POST /containers/{id}/stop', args[0]), engine.stop(...args)),
    restart: async (...args) => (await on('POST /containers/{id}/restart', args[0]), engine.restart(...args)),
    wait: async (...args) => (await on('POST /containers/{id}/wait', args[0]), engine.wait(...args)),
    rename: async (id, name) => {
      await on('POST /containers/{id}/rename', id, { query: { name } });
      return engine.rename(id, name);
    },
    updateContainer: async (id, change) => {
      await on('POST /containers/{id}/update', id, { body: change });
      return engine.updateContainer(id, change);
    },
    remove: async (id, also) => {
      const query = { v: String(also?.volumes ?? false), force: 'false' };
      await on('DELETE /containers/{id}', id, { query });
      return engine.remove(id, also);
    },
    exec: async (...args) => (await exec(args[0], args[1], args[2]), engine.exec(...args)),
    execOutput: async (...args) => (await exec(args[0], args[1], args[2]), engine.execOutput(...args)),
    execInput: async (...args) => (await exec(args[0], args[1], args[3]), engine.execInput(...args)),
    archive: async (id, path) => {
      await on('GET /containers/{id}/archive', id, { query: { path } });
      return engine.archive(id, path);
    },
    stat: async (id, path) => {
      await on('GET /containers/{id}/archive', id, { query: { path }, isHead: true });
      return engine.stat(id, path);
    },
    extract: async (id, path, tar) => {
      await on('PUT /containers/{id}/archive', id, { query: { path } });
      return engine.extract(id, path, tar);
    },
  };
  return new Proxy<Engine>(engine, {
    get: (fake, name) => {
      const found: unknown = Reflect.get(guarded, name) ?? Reflect.get(fake, name, fake);
      return typeof found === 'function' ? (found as () => unknown).bind(fake) : found;
    },
  });
}
