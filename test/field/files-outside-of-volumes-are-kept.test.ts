import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Inspected } from '../lab/engine/docker-cli';
import { eventually } from '../support/eventually';
import { pageOf, type UpdateTold } from '../support/e2e-updates';
import { openKept } from '../support/field-kept';

// An application writes files where no volume is mounted, which goes unnoticed until the container is replaced.
jest.setTimeout(900_000);

const { stage, pilot, projectOf, updated } = openKept();

const WRITES = [
  'mkdir -p "/srv/app/it\'s here" /srv/app/cache',
  'echo precious > /srv/app/uploads.db',
  'chown 33:34 /srv/app/uploads.db && chmod 640 /srv/app/uploads.db',
  'echo quoted > "/srv/app/it\'s here/a b"',
  'ln -s uploads.db /srv/app/link',
  'ln /srv/app/uploads.db /srv/app/hard',
  'head -c 20000000 /dev/zero > /srv/app/large.bin',
  'mkfifo /srv/app/pipe',
  'echo temporary > /srv/app/cache/x',
  'echo "# by hand" >> /etc/nginx/nginx.conf',
  'echo "in the volume" > /srv/app/volume/file',
].join(' && ');
const LISTING = `cd /srv/app && find . -path ./volume -prune -o -path ./cache -prune -o -type f -printf '%p %s %m %U %G\\n' -o -type l -printf '%p %l\\n' | sort`;

it('keeps them for a day in a stopped container that Compose leaves alone, from which they can be copied', async () => {
  const volumes = { volumes: ['./conf:/etc/nginx/conf.d:ro', 'data:/srv/app/volume'] };
  const project = await projectOf('unmounted', volumes, { volumes: { data: {} } });
  await project.exec('unmounted', 'sh', '-c', WRITES);
  const before = await project.exec('unmounted', 'sh', '-c', LISTING);
  const mounted = await volumesOnEngine(project.name);
  const update = await updated(project, 'unmounted', 'unmounted');
  expect(update).toMatchObject({ status: 'succeeded', error: null });

  const holder = await holderOf(await project.containerName('unmounted'));
  expect(holder.name).toContain(`.diun-pilot-kept-${String(update['id']).slice(-10).toLowerCase()}`);
  expect(holder.inspect).toMatchObject({
    Mounts: [],
    State: { Status: 'created' },
    HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'no' } },
  });
  const labels = (holder.inspect['Config'] as Inspected)['Labels'] as Record<string, string>;
  expect(Object.entries(labels).filter(([, value]) => value !== '')).toEqual([['diun.enable', 'false']]);
  expect(await volumesOnEngine(project.name)).toEqual(mounted);
  await saysSo(update, holder.name);

  const { docker } = stage.lab;
  const folder = stage.lab.scratch('copied');
  await docker.run(['cp', '--archive', `${holder.name}:/srv/app/.`, folder]);
  await docker.run(['cp', `${holder.name}:/etc/nginx/nginx.conf`, folder]);
  expect(readFileSync(join(folder, 'uploads.db'), 'utf8')).toBe('precious\n');
  expect(readFileSync(join(folder, "it's here/a b"), 'utf8')).toBe('quoted\n');
  expect(readFileSync(join(folder, 'nginx.conf'), 'utf8')).toContain('# by hand');
  expect(() => readFileSync(join(folder, 'volume/file'))).toThrow('ENOENT');
  expect(() => readFileSync(join(folder, 'cache/x'))).toThrow('ENOENT');
  expect(await listingIn(holder.name)).toBe(before);

  expect(await project.up()).toEqual({ created: [], recreated: [], untouched: ['unmounted'] });
  expect(await project.containers()).toHaveProperty('size', 1);
  expect(await pageOf(project, 'unmounted')).toMatch(/^good-2 /);
  await whenItsTimeHasCome(holder.name);
  expect(await project.up()).toEqual({ created: [], recreated: [], untouched: ['unmounted'] });
});

it('keeps nothing of a container that writes only what every start writes, or what is temporary', async () => {
  const writes = 'echo started > /srv/started; echo "# by the entrypoint" >> /etc/nginx/nginx.conf; date > /tmp/date';
  const command = ['sh', '-c', `${writes}; exec nginx -g 'daemon off;'`];
  const project = await projectOf('starts', { command });
  const update = await updated(project, 'starts', 'starts');
  expect(update).toMatchObject({ status: 'succeeded', error: null });
  const name = await project.containerName('starts');
  expect(await stage.lab.docker.lines(['ps', '--all', '--format', '{{.Names}}', '--filter', `name=${name}`])).toEqual([
    name,
  ]);
});

async function holderOf(container: string): Promise<{ name: string; inspect: Inspected }> {
  const filter = `name=^/${container}\\.diun-pilot-`;
  const names = await stage.lab.docker.lines(['ps', '--all', '--format', '{{.Names}}', '--filter', filter]);
  expect(names).toHaveLength(1);
  const inspect = await stage.lab.docker.inspect('container', names[0] ?? '');
  return { name: names[0] ?? '', inspect: inspect ?? {} };
}

/** Verdict and `/health`; page and `check` show the same entry. */
async function saysSo(update: UpdateTold, holder: string): Promise<void> {
  expect(update['reason']).toContain(`docker cp '${holder}:/`.replace("'", ''));
  expect(update['reason']).toMatch(/is kept, stopped, until 20\d\d-/);
  const health = (await (await fetch(`${pilot().url}/health`)).json()) as Record<string, never>;
  expect(JSON.stringify(health)).toContain(`${holder} is kept, stopped, until 20`);
}

async function listingIn(holder: string): Promise<string> {
  const { docker } = stage.lab;
  const image = `${stage.lab.id}/kept-listing:1`;
  await docker.run(['commit', '--change', 'ENTRYPOINT ["sh","-c"]', holder, image]);
  stage.closing(() => docker.attempt(['rmi', '--force', image]));
  return docker.run(['run', '--rm', '--network', 'none', image, LISTING]);
}

/** Without those of projects of other tests, which run at the same time on the same engine. */
async function volumesOnEngine(own: string): Promise<string[]> {
  const all = await stage.lab.docker.lines(['volume', 'ls', '--quiet', '--filter', `name=${own}`]);
  return all.sort();
}

/** A day is too long for a test, so its end is moved in the database of the running service. */
async function whenItsTimeHasCome(holder: string): Promise<void> {
  const database = new Database(join(pilot().dataDir, 'pilot.db'));
  const moved = database.prepare('UPDATE kept_containers SET keep_until = ? WHERE name = ?');
  expect(moved.run(new Date().toISOString(), holder).changes).toBe(1);
  database.close();
  const { docker } = stage.lab;
  const gone = async (): Promise<boolean> => (await docker.inspect('container', holder)) === null;
  await eventually('the kept container is removed', gone, { timeoutMs: 900_000 });
}
