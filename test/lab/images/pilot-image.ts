import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command';
import { projectName, type Lab } from '../lab';
import { waitForLock } from '../lab-lock';
import { noteMadeImage } from '../lab-record';
import { RESTIC } from '../debian-program';
import { pullUnlessThere } from './public-image';

const REPOSITORY = join(__dirname, '../../..');

/**
 * The image of diun-pilot, built once for all test files of this lab; named as all of the lab, and so removed with it.
 * Built from the shipped Dockerfile: as it is where public images can be pulled; else its
 * runtime part on a Debian that carries this machine's node, with what `npm run build` and `npm ci` made here. Its Compose
 * is that of this machine: it must be the one that makes the containers.
 */
export async function buildPilotImage(lab: Lab): Promise<string> {
  const image = `${projectName(lab.id, 'pilot')}:test`;
  const release = await waitForLock(join(lab.dir, 'pilot-image.lock'));
  try {
    if ((await lab.docker.inspect('image', image)) === null) await build(lab, image);
  } finally {
    release();
  }
  return image;
}

async function build(lab: Lab, image: string): Promise<void> {
  const build = ['build', '--quiet', '--network', 'host', '--build-arg', 'VERSION=test', '--tag', image];
  build.push('--build-arg', `COMPOSE_IMAGE=${await composeImage(lab)}`);
  const restic = await resticImage(lab);
  if (restic !== null) build.push('--build-arg', `RESTIC_IMAGE=${restic}`);
  if (lab.origin === 'public') {
    for (const base of publicBases(restic === null ? 'BR' : 'B')) await pullUnlessThere(lab.docker, lab.dir, base);
    await lab.docker.run([...build, REPOSITORY], { timeoutMs: 900_000 });
  } else {
    const context = await builtHere(lab);
    const base = await nodeImage(lab);
    await lab.docker.run([...build, '--build-arg', `BASE_IMAGE=${base}`, context], { timeoutMs: 900_000 });
  }
}

/** Else the build would pull them, and nobody would know that they were not there before. */
function publicBases(initials: string): string[] {
  const bases = dockerfile().matchAll(new RegExp(`^ARG [${initials}]\\w+_IMAGE=(\\S+)$`, 'gm'));
  return [...bases].map(([, reference = '']) => reference);
}

function dockerfile(): string {
  return readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8');
}

/** A build context that holds the finished /app, and the shipped Dockerfile without the stage that would make it. */
async function builtHere(lab: Lab): Promise<string> {
  const context = lab.scratch('pilot-image');
  const app = join(context, 'app');
  mkdirSync(app);
  for (const part of ['package.json', 'package-lock.json', '.npmrc', 'dist', 'node_modules', 'scripts/image']) {
    // `node_modules` of a worktree may be a link: npm would put a new folder in its place, without the compiled modules.
    cpSync(realpathSync(join(REPOSITORY, part)), join(app, part), { recursive: true, verbatimSymlinks: true });
  }
  await run('npm', ['prune', '--omit=dev', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: app });
  await run(process.execPath, [join(app, 'scripts/image/prune.mjs'), app]);
  writeFileSync(join(context, 'Dockerfile'), runtimePart(dockerfile()));
  return context;
}

function runtimePart(whole: string): string {
  const [, runtime] = whole.split('# --- runtime ---\n');
  if (!runtime) throw new Error('the Dockerfile has lost the line "# --- runtime ---"');
  const stages = ['compose', 'restic'].map((name) => `FROM \${${name.toUpperCase()}_IMAGE} AS ${name}\n`).join('');
  return `ARG BASE_IMAGE\nARG COMPOSE_IMAGE\nARG RESTIC_IMAGE\n${stages}${runtime.replaceAll('COPY --from=build /app/', 'COPY app/')}`;
}

/** Debian 13, whose C library this machine's node was found to agree with, plus that node. */
async function nodeImage(lab: Lab): Promise<string> {
  const tag = `lab/node:${process.version}`;
  if (await lab.docker.inspect('image', tag)) return tag;
  const context = lab.scratch('node-image');
  cpSync(process.execPath, join(context, 'node'));
  writeFileSync(join(context, 'Dockerfile'), `FROM ${lab.images.DEBIAN_13}\nCOPY node /usr/local/bin/node\n`);
  await lab.docker.run(['build', '--quiet', '--tag', tag, context]);
  noteMadeImage(lab.dir, tag);
  rmSync(context, { recursive: true });
  return tag;
}

/** By which restic trusts a server; the published image has them here, too. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** This machine's restic, as an image of nothing else but certificates; null: there is none, so that the published one is taken. */
async function resticImage(lab: Lab): Promise<string | null> {
  if (RESTIC.whyNot() !== null) {
    if (lab.origin === 'public') return null;
    throw new Error(`the image of diun-pilot has restic, but ${RESTIC.whyNot()}`);
  }
  const version = /^restic (\S+)/.exec(await run(RESTIC.path, ['version']))?.[1] ?? 'unknown';
  const tag = `lab/restic-tls:${version}`;
  if (await lab.docker.inspect('image', tag)) return tag;
  const context = lab.scratch('restic-image');
  cpSync(RESTIC.path, join(context, 'restic'), { dereference: true });
  cpSync(CERTIFICATES, join(context, 'certificates'), { dereference: true });
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM scratch\nCOPY restic /usr/bin/restic\nCOPY certificates ${CERTIFICATES}\n`,
  );
  await lab.docker.run(['build', '--quiet', '--tag', tag, context]);
  noteMadeImage(lab.dir, tag);
  rmSync(context, { recursive: true });
  return tag;
}

/** The plugin that the lab's docker command line runs, as an image of nothing else. */
async function composeImage(lab: Lab): Promise<string> {
  const tag = `lab/compose:${(await lab.docker.run(['compose', 'version', '--short'])).replaceAll(/[^\w.-]/g, '-')}`;
  if (await lab.docker.inspect('image', tag)) return tag;
  const plugins = '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}';
  const context = lab.scratch('compose-image');
  cpSync(await lab.docker.run(['info', '--format', plugins]), join(context, 'docker-compose'), { dereference: true });
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY docker-compose /docker-compose\n');
  await lab.docker.run(['build', '--quiet', '--tag', tag, context]);
  noteMadeImage(lab.dir, tag);
  rmSync(context, { recursive: true });
  return tag;
}
