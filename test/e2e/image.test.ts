import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPilotImage } from '../lab/images/pilot-image';
import { openStage } from '../support/e2e-stage';

// What is in the image of diun-pilot, and that it works without the rest. `init` has its first start: read-only, without capabilities.
/** Public images have a newer node, Compose and restic than Debian. */
const MOST_MIB = { public: 280, distribution: 220 };
const stage = openStage();
let image: string;
beforeAll(async () => {
  image = await buildPilotImage(stage.lab);
});

const LOCKED = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--network', 'none'];

function inImage(...command: [program: string, ...args: string[]]): Promise<string> {
  const [program, ...args] = command;
  return stage.lab.docker.run([
    ...['run', '--rm', '--label', stage.lab.label, ...LOCKED, '--tmpfs', '/tmp', '--entrypoint', program, image],
    ...args,
  ]);
}

/** Every file and link, as `MODE PATH`: there is no shell that could list them. */
async function files(): Promise<string[]> {
  const walk = `
    const out = [];
    (function walk(folder) {
      for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
        const path = folder + entry.name;
        if (/^\\/(?:proc|sys|dev)$/.test(path)) continue;
        if (entry.isDirectory()) walk(path + '/');
        else out.push((fs.lstatSync(path).mode & 0o7777).toString(8) + ' ' + path);
      }
    })('/');
    out.join('\\n')`;
  return (await inImage('node', '-p', walk)).split('\n');
}

/** Programs by which an attacker installs, builds, fetches or runs something else. */
const TOOLS =
  /\/(?:(?:ba|da|z|a|k|tc|c)?sh|busybox|toybox|perl[\d.]*|python[\d.]*|ruby|lua|awk|mawk|gawk|gcc|g\+\+|cc|c\+\+|cpp|ld|as|make|cmake|tcc|clang|npm|npx|yarn|yarnpkg|pnpm|corepack|node-gyp|apt|apt-get|apt-key|dpkg|dpkg-deb|apk|rpm|pip3?|curl|wget|nc|ncat|socat|telnet|ssh|scp|su|sudo|mount|chroot|nsenter|unshare|docker)$/;
const NEVER_LOADED =
  /\.(?:map|d\.ts|d\.mts|d\.cts|ts|c|cc|h|gyp)$|\/node_modules\/(?:@[^/]+\/)?[^/]+\/(?:tests?|docs|examples?|dist-es|dist-types|deps)\//;

test('it has no shell, package manager, compiler or download program, and no file that gives rights', async () => {
  const all = await files();
  const found = all.filter((line) => TOOLS.test(line));
  const rights = all.filter((line) => /^[2-7]\d{3} /.test(line));
  expect([found, rights]).toEqual([[], []]);
  expect(
    all.filter((line) => /^\d+ \/(?:usr\/(?:local\/)?)?s?bin\//.test(line)).map((line) => line.split(' ')[1]),
  ).toEqual([...['/usr/bin/env', '/usr/local/bin/diun-pilot', '/usr/local/bin/node', '/usr/local/bin/restic']]);
});

test('of its packages it has what is loaded, and their licences', async () => {
  const all = await files();
  expect(all.filter((line) => NEVER_LOADED.test(line))).toEqual([]);
  expect(all.filter((line) => /better-sqlite3\/LICENSE$/.test(line))).toHaveLength(1);
});

test('it is small, and in the lab as large as the README says', async () => {
  const { Size } = (await stage.lab.docker.inspect('image', image)) as { Size: number };
  const mebibytes = Math.round(Size / 2 ** 20);
  expect(mebibytes).toBeLessThan(MOST_MIB[stage.lab.origin]);
  const readme = readFileSync(join(__dirname, '../../README.md'), 'utf8');
  const stated = Number(/The image takes (\d+) MiB \(in the test lab\)/.exec(readme)?.[1]);
  // Debian's security updates of node, Compose and restic move it a little.
  if (stage.lab.origin === 'distribution') expect(Math.abs(stated - mebibytes)).toBeLessThanOrEqual(3);
});

test('read-only, as its own user and without capabilities all of its code loads, and its programs start', async () => {
  const load = `
    const bad = [];
    (function walk(folder) {
      for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
        const path = folder + '/' + entry.name;
        if (entry.isDirectory()) { if (entry.name !== 'assets') walk(path); continue; }
        if (!path.endsWith('.js') || /^\\/app\\/dist\\/(?:main|socket-proxy)\\.js$/.test(path)) continue;
        try { require(path); } catch (error) { bad.push(path + ': ' + error.message); }
      }
    })('/app/dist');
    const open = require('/app/node_modules/better-sqlite3');
    JSON.stringify({ bad, one: new open(':memory:').pragma('user_version', { simple: true }), user: process.getuid() })`;
  expect(JSON.parse(await inImage('node', '-p', load))).toEqual({ bad: [], one: 0, user: 1000 });
  expect(await inImage('diun-pilot', '--version')).toMatch(/^\d+\.\d+\.\d+/);
  expect(await inImage('restic', 'version')).toMatch(/^restic \d/);
  expect(await inImage('/usr/local/lib/docker/cli-plugins/docker-compose', 'version')).toMatch(/Compose/);
});

test('restic and Compose find the certificates of the public authorities', async () => {
  const count = "fs.readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8').split('BEGIN CERTIFICATE').length";
  expect(Number(await inImage('node', '-p', count))).toBeGreaterThan(50);
});
