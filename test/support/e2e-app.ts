import type { ComposeProject } from '../lab/compose';
import type { Lab } from '../lab/lab';
import type { Service } from './e2e-services';
import { eventually } from './eventually';

/** The lab's app with its PostgreSQL, as an operator labels the two; `image` is the app's. */
export function appServices(lab: Lab, image: string, watched: Record<string, string> = {}): Record<string, Service> {
  const login = { APP_DB_HOST: 'db', APP_DB_NAME: 'app', APP_DB_USER: 'app', APP_DB_PASSWORD: 'geheim' };
  return {
    db: {
      image: lab.images.POSTGRES_15,
      environment: { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: 'geheim' },
      volumes: ['rows:/var/lib/postgresql/data'],
      labels: { 'update.probe': 'postgres', 'backup.kind': 'postgres' },
    },
    app: {
      image,
      environment: login,
      depends_on: ['db'],
      ports: ['127.0.0.1::3000'],
      volumes: ['files:/data'],
      restart: 'always',
      labels: {
        'update.probe': 'gitea',
        'update.probe.timeout': '15s',
        'backup.kind': 'files',
        'backup.paths': '/data',
        ...watched,
      },
    },
  };
}

export const APP_VOLUMES = { volumes: { rows: {}, files: {} } };

export interface Item {
  id: number;
  name: string;
  file: string | null;
}

/** The app as its users see it. */
export function appOf(project: ComposeProject) {
  const url = async (): Promise<string> => `${await project.url('app', 3000)}/items`;
  const items = async (): Promise<Item[]> =>
    (await (await fetch(await url(), { signal: AbortSignal.timeout(3_000) })).json()) as Item[];
  return {
    items,
    ready: () => eventually('the app answers', items),
    keep: async (name: string): Promise<void> => {
      const answer = await fetch(await url(), { method: 'POST', body: JSON.stringify({ name }) });
      if (answer.status !== 201) throw new Error(`the app answered ${answer.status}`);
    },
    sql: (statement: string): Promise<string> =>
      project.compose(['exec', '-T', 'db', 'psql', '-XAt', '-U', 'app', '-d', 'app', '-c', statement]),
    sh: (script: string): Promise<string> => project.compose(['exec', '-T', '-u', '0', 'app', 'sh', '-c', script]),
  };
}
