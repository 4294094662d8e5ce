import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { PUBLIC_BEFORE_15 } from '../../src/restores/databases/load-dump';
import {
  approve,
  CONTENTS,
  DATA,
  everythingOf,
  largeSeed,
  psql,
  readyToApprove,
  RIGHTS_ON_PUBLIC,
  runSql,
  seed,
  WORDS,
} from '../support/e2e-majors';
import { namesOf, openStage, startedAt } from '../support/e2e-stage';
import { endOf, mailsAbout, stepsOf, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { describeIf, whyNoMount } from '../support/needs';

// A new PostgreSQL major as an update like any other: real servers of both majors, and the application on them.
const stage = openStage();
const EXTENSIONS = '/usr/share/postgresql/15/extension';
const WITHIN_MS = 900_000;
const DATABASES = ['app', 'shop', 'öffentlich', 'wörter', 'archive'];
const OPEN_TO_ALL = 'app|{app=UC/app,=UC/app}';
const MAJOR_STEPS = ['backup', 'pull', 'preflight', 'move_data', 'recreate', 'load_data', 'health_check', 'cleanup'];

interface Shop {
  project: ComposeProject;
  app: ReturnType<typeof appOf>;
  pilot: Pilot;
  proxy: EngineProxy;
  db: string;
  tag: string;
}

async function openShop(name: string, sql: string, rows?: string): Promise<Shop> {
  const { lab } = stage;
  const tag = `major/${name}:stable`;
  await lab.registry.publishAndPull(lab.images.POSTGRES_15, tag);
  const services = appServices(lab, lab.images.APP_1);
  const { db: server, app: application } = services;
  if (server === undefined || application === undefined) throw new Error('the app has no database');
  server.image = lab.registry.reference(tag);
  server.labels['diun.enable'] = 'true';
  server['restart'] = 'always';
  if (rows !== undefined) server['volumes'] = [`${rows}:${DATA}`];
  const project = await stage.project(name, services, { top: APP_VOLUMES });
  const app = appOf(project);
  await app.ready();
  await app.keep('erste');
  await runSql(project, sql);
  const proxy = engineProxy((await stage.seeing(project.name)).lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  const pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
  await lab.registry.publish(lab.images.POSTGRES_17, tag);
  return { project, app, pilot, proxy, db: await project.containerName('db'), tag };
}

/** Rehearsed, then approved. */
async function request({ pilot, db }: Shop): Promise<string> {
  const id = await readyToApprove(pilot, db);
  await approve(pilot, db, id);
  return id;
}

const update = async (shop: Shop): Promise<UpdateTold> => endOf(shop.pilot, await request(shop), WITHIN_MS);
const contentsOf = ({ project }: Shop): Promise<string> => psql(project, 'shop', CONTENTS);
const majorOf = async ({ project }: Shop): Promise<string> =>
  (await psql(project, 'app', 'SHOW server_version')).slice(0, 2);
const foldersIn = async ({ project }: Shop): Promise<string> =>
  project.exec('db', 'sh', '-c', `ls -A ${DATA} | grep diun || true`);
const explained = (told: UpdateTold): string => JSON.stringify([told['status'], told['error'], told['steps']], null, 1);

/** With the password, over TCP, as an application does. */
const login = ({ project }: Shop, user: string, password: string, database: string): Promise<string> =>
  project.exec(
    'db',
    'env',
    `PGPASSWORD=${password}`,
    'psql',
    '-XAt',
    '-h',
    '127.0.0.1',
    '-U',
    user,
    '-d',
    database,
    '-c',
    'SELECT current_user',
  );

describe('a shop with years of data', () => {
  let shop: Shop;
  let before: string;
  beforeAll(async () => {
    shop = await openShop('years', largeSeed());
  });

  it('an extension that the new image lacks, created after the rehearsal: rolled back, the old server serves all of its data', async () => {
    const id = await readyToApprove(shop.pilot, shop.db);
    const control = `comment = 'x'\\ndefault_version = '1'\\n`;
    await shop.project.compose([
      'exec',
      '-T',
      '-u',
      '0',
      'db',
      'sh',
      '-c',
      `printf "${control}" > ${EXTENSIONS}/only15.control; echo "SELECT 1;" > ${EXTENSIONS}/only15--1.sql`,
    ]);
    await psql(shop.project, 'shop', 'CREATE EXTENSION only15');
    before = await contentsOf(shop);
    const old = await shop.project.container('db');
    await approve(shop.pilot, shop.db, id);
    const told = await endOf(shop.pilot, id, WITHIN_MS);
    expect([told['status'], explained(told)]).toEqual(['rolled_back', expect.stringContaining('only15')]);
    expect(told['error']).toMatchObject({ code: 'major_failed' });
    expect((await shop.project.container('db'))['Id']).toBe(old['Id']);
    expect([await majorOf(shop), await contentsOf(shop)]).toEqual(['15', before]);
    expect(await foldersIn(shop)).toBe('');
    expect((await shop.app.items()).map(({ name }) => name)).toEqual(['erste']);
    expect(await namesOf(stage.lab, shop.project)).toHaveLength(2);
  });

  it('updated: every database, role, right and row is the same, and the previous data directory is kept', async () => {
    await psql(shop.project, 'shop', 'DROP EXTENSION only15');
    before = await contentsOf(shop);
    const everything = await everythingOf(shop.project, DATABASES);
    const words = await psql(shop.project, 'wörter', WORDS);
    expect(everything.megabytes).toBeGreaterThan(100);
    const told = await update(shop);
    expect([told['status'], explained(told)]).toEqual(['succeeded', expect.anything()]);
    // 17 writes the same locale in its standard form.
    const same = everything.contents.replace('\ni|de-u-kn-true|C', '\ni|de-u-kn|C');
    expect(same).not.toBe(everything.contents);
    expect((await everythingOf(shop.project, DATABASES)).contents).toBe(same);
    expect(await psql(shop.project, 'wörter', WORDS)).toBe(words);
    expect(words).toContain('a9,a10,Äpfel,ärger,Zebra,zu');
    expect(stepsOf(told)).toEqual(MAJOR_STEPS.map((name) => `${name} succeeded`));
    expect([await majorOf(shop), await contentsOf(shop)]).toEqual(['17', before]);
    expect(await psql(shop.project, 'öffentlich', RIGHTS_ON_PUBLIC)).toBe(OPEN_TO_ALL);
    await psql(shop.project, 'app', `CREATE DATABASE fresh`);
    await psql(shop.project, 'fresh', PUBLIC_BEFORE_15);
    expect(await psql(shop.project, 'fresh', RIGHTS_ON_PUBLIC)).toBe(OPEN_TO_ALL);
    expect(await login(shop, 'reader', 'lesen', 'shop')).toBe('reader');
    expect(await login(shop, 'app', 'geheim', 'app')).toBe('app');
    expect((await shop.app.items()).map(({ name }) => name)).toEqual(['erste']);
    await shop.app.keep('zweite');
    expect((await shop.project.up()).untouched).toContain('db');
    const kept = (await foldersIn(shop)).trim();
    expect(kept).toMatch(/^\.diun-pilot-before-[0-9a-z]{10}-01$/);
    const subjects = await mailsAbout(shop.pilot, shop.db, 4);
    expect(subjects[3]).toContain('the new version is healthy');
    // The text of a mail is wrapped.
    const mail = ((await shop.pilot.mails()).at(-1)?.text ?? '').replaceAll(/\s+/g, ' ');
    expect(mail).toContain(`docker exec -u 0 ${shop.db} rm -rf '${DATA}/${kept}'`);
    await shop.project.exec('db', 'rm', '-rf', `${DATA}/${kept}`);
    expect((await shop.app.items()).map(({ name }) => name)).toEqual(['erste', 'zweite']);
  });
});

describeIf(whyNoMount(), 'a shop on a small disk', () => {
  let shop: Shop;
  let disk: string;
  const size = (options: string) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { encoding: 'utf8' }).stderr;
  beforeAll(async () => {
    disk = join(stage.lab.scratch('disk'), 'rows');
    mkdirSync(disk);
    expect(size('size=110m')).toBe('');
    stage.closing(() => spawnSync('umount', ['--lazy', disk]));
    shop = await openShop('disk', seed(1), disk);
  });

  it('with too little room: refused before anything is stopped', async () => {
    const [before, app] = [await shop.project.container('db'), await shop.project.container('app')];
    const told = await update(shop);
    expect([told['status'], told['error']]).toEqual([
      'failed',
      {
        code: 'preflight_blocked',
        message: expect.stringMatching(/MiB free, and the new data directory needs about/) as string,
      },
    ]);
    const after = [await shop.project.container('db'), await shop.project.container('app')];
    expect(after.map((one) => [one['Id'], startedAt(one)])).toEqual(
      [before, app].map((one) => [one['Id'], startedAt(one)]),
    );
  });

  it('killed while the data directories change places, and while the data is loaded: finished by the next process', async () => {
    expect(size('remount,size=900m')).toBe('');
    const before = await contentsOf(shop);
    const swapping = shop.proxy.hold({
      calls: [
        /^POST \/containers\/[^/]+\/stop/,
        /\/containers\/[^/]+\/stop/,
        /create\?name=[^&]*diun-pilot-restore-/,
        /\/start/,
      ],
      when: 'after',
    });
    const id = await request(shop);
    await Promise.race([
      swapping,
      endOf(shop.pilot, id, WITHIN_MS).then((told) => Promise.reject(new Error(explained(told)))),
    ]);
    await shop.pilot.kill();
    const loading = shop.proxy.hold({
      calls: [
        /create\?name=[^&]*diun-pilot-restore-/,
        /\/rename/,
        /\/start/,
        /^POST \/exec/,
        /^POST \/exec/,
        /^POST \/exec/,
        /^POST \/exec/,
      ],
      when: 'before',
    });
    await shop.pilot.start();
    await Promise.race([
      loading,
      endOf(shop.pilot, id, WITHIN_MS).then((told) => Promise.reject(new Error(explained(told)))),
    ]);
    await shop.pilot.kill();
    await shop.pilot.start();
    const told = await endOf(shop.pilot, id, WITHIN_MS);
    expect([told['status'], explained(told)]).toEqual(['succeeded', expect.anything()]);
    expect([await majorOf(shop), await contentsOf(shop)]).toEqual(['17', before]);
    await eventually('the app answers', () => shop.app.items());
  });
});
