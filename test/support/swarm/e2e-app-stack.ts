import type { ImageName } from '../../lab/images/recipes';
import type { Item } from '../e2e-app';
import { eventually } from '../eventually';
import type { SwarmStage } from './e2e-swarm';

/** The lab's app with its PostgreSQL as a stack of a Swarm; both share the network of the host, since this kernel has no virtual IPs. */
export interface AppStack {
  /** Of the app and of its database. */
  names: { app: string; db: string };
  /** Moves the tag of one of the two to another image; its digest. */
  publish(of: 'app' | 'db', image: ImageName): Promise<string>;
  items(): Promise<Item[]>;
  keep(name: string): Promise<void>;
  ready(): Promise<unknown>;
  sql(statement: string): Promise<string>;
  /** Digest in the spec and replicas, of app and database. */
  specs(): Promise<[string, number | undefined][]>;
  /** Names of all containers that diun-pilot made. */
  aside(): Promise<string[]>;
}

const URL_OF_APP = 'http://127.0.0.1:3000/items';

export async function runAppStack(swarm: SwarmStage, stack: string): Promise<AppStack> {
  const { docker } = swarm.stage.lab;
  const names = { app: `${stack}_app`, db: `${stack}_db` };
  const tags = { app: `${stack}/app:stable`, db: `${stack}/db:stable` };
  const inStack = [
    '--label',
    `com.docker.stack.namespace=${stack}`,
    '--label',
    'diun.enable=true',
    '--network',
    'host',
  ];
  const labels = (given: Record<string, string>): string[] =>
    Object.entries(given).flatMap(([label, value]) => ['--label', `${label}=${value}`]);
  const env = (given: Record<string, string>): string[] =>
    Object.entries(given).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const db = await swarm.published('POSTGRES_15', tags.db);
  await swarm.create(names.db, db.reference, [
    ...inStack,
    ...labels({ 'update.probe': 'postgres', 'backup.kind': 'postgres' }),
    ...env({ POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: 'geheim' }),
    ...['--mount', `type=volume,source=${stack}_rows,target=/var/lib/postgresql/data`],
  ]);
  const app = await swarm.published('APP_1', tags.app);
  await swarm.create(names.app, app.reference, [
    ...inStack,
    ...labels({
      'update.probe': 'gitea',
      'update.probe.timeout': '15s',
      'backup.kind': 'files',
      'backup.paths': '/data',
    }),
    ...labels({ 'backup.quiesce': 'allowed' }),
    ...env({ APP_DB_HOST: '127.0.0.1', APP_DB_NAME: 'app', APP_DB_USER: 'app', APP_DB_PASSWORD: 'geheim' }),
    ...['--mount', `type=volume,source=${stack}_files,target=/data`],
  ]);
  const items = async (): Promise<Item[]> =>
    (await (await fetch(URL_OF_APP, { signal: AbortSignal.timeout(3_000) })).json()) as Item[];
  const taskOf = async (service: string): Promise<string> => {
    const filters = ['--filter', `label=com.docker.swarm.service.name=${service}`, '--filter', 'status=running'];
    const [id] = await docker.lines(['ps', '--quiet', ...filters]);
    if (id === undefined) throw new Error(`${service} has no running task`);
    return id;
  };
  return {
    names,
    publish: async (of, image) => (await swarm.published(image, tags[of])).digest,
    items,
    ready: () => eventually('the app answers', items),
    keep: async (name) => {
      const answer = await fetch(URL_OF_APP, { method: 'POST', body: JSON.stringify({ name }) });
      if (answer.status !== 201) throw new Error(`the app answered ${answer.status}`);
    },
    sql: async (statement) =>
      docker.run(['exec', await taskOf(names.db), 'psql', '-XAt', '-U', 'app', '-d', 'app', '-c', statement]),
    specs: () =>
      Promise.all(
        [names.app, names.db].map(async (name): Promise<[string, number | undefined]> => {
          const { Spec } = await swarm.swarm.service(name);
          return [Spec.TaskTemplate.ContainerSpec?.Image.split('@')[1] ?? '', Spec.Mode.Replicated?.Replicas];
        }),
      ),
    aside: () => docker.lines(['ps', '--all', '--filter', 'name=.diun-pilot-', '--format', '{{.Names}}']),
  };
}
