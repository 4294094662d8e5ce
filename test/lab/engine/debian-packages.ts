import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { attempt, run } from '../command';
import { LabUnavailable } from '../lab-unavailable';
import { machinesMirror, sourcesFor, type DebianMirror } from './debian-mirror';

/** From Debian 13: Debian 12's own Engine (20.10) is older than what diun-pilot supports. */
const FROM_TRIXIE = new Set(['docker.io', 'docker-compose', 'docker-cli', 'ntfy', 'cosign']);
const POLICY = '/usr/sbin/policy-rc.d';

/** Null when packages can be installed here, else what is in the way. */
export function whyNotInstallable(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync('/etc/debian_version')) return 'not a Debian system';
  return machinesMirror() ? null : 'no /etc/apt/sources.list.d/debian.sources';
}

/** Installs what is missing; does not touch apt when everything is there. Throws LabUnavailable off Debian or without root. */
export async function ensureInstalled(packages: string[], say: (line: string) => void): Promise<void> {
  const missing: string[] = [];
  for (const name of packages) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  const reason = whyNotInstallable();
  if (reason) throw new LabUnavailable(`${missing.join(', ')} would have to be installed, but this is ${reason}`);
  say(`installing ${missing.join(', ')} …`);
  await install(missing);
}

async function isInstalled(name: string): Promise<boolean> {
  const answer = await attempt('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Version}', name]);
  const [status, version] = answer.stdout.split(' ');
  if (answer.code !== 0 || status !== 'installed') return false;
  return name !== 'docker.io' || Number.parseInt(version ?? '', 10) >= 25;
}

async function install(packages: string[]): Promise<void> {
  const mirror = machinesMirror();
  if (!mirror) throw new LabUnavailable('no Debian mirror is configured');
  if (packages.some((name) => FROM_TRIXIE.has(name))) offerTrixie(mirror);
  await withoutStartingServices(async () => {
    await apt(['update']);
    const newer = packages.filter((name) => FROM_TRIXIE.has(name));
    const plain = packages.filter((name) => !FROM_TRIXIE.has(name));
    const options = ['install', '-y', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold'];
    if (newer.length > 0) await apt([...options, '-t', 'trixie', ...newer]);
    if (plain.length > 0) await apt([...options, ...plain]);
  });
}

/** Downloads packages of Debian 13 into a folder, and installs nothing. Throws off Debian, without root and without a mirror. */
export async function downloadFromTrixie(packages: string[], folder: string): Promise<void> {
  const reason = whyNotInstallable();
  const mirror = machinesMirror();
  if (reason !== null || mirror === null) throw new LabUnavailable(`this is ${reason ?? 'no Debian'}`);
  offerTrixie(mirror);
  const quick = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20'];
  const download = ['-qq', ...quick, 'download', ...packages.map((name) => `${name}/trixie`)];
  const first = await attempt('apt-get', download, { cwd: folder });
  if (first.code === 0) return;
  await apt([...quick, 'update']);
  await run('apt-get', download, { cwd: folder });
}

/** Makes Debian 13 known to apt, behind everything that is installed already. */
function offerTrixie(mirror: DebianMirror): void {
  if (/^13|trixie/.test(readFileSync('/etc/debian_version', 'utf8')) && !machineIsBookworm()) return;
  writeFileSync('/etc/apt/sources.list.d/trixie.sources', sourcesFor('trixie', mirror));
  writeFileSync('/etc/apt/preferences.d/trixie', 'Package: *\nPin: release n=trixie*\nPin-Priority: 100\n');
}

/** Told by the sources: Debian 13's packages bring its version file along. */
function machineIsBookworm(): boolean {
  return readFileSync('/etc/apt/sources.list.d/debian.sources', 'utf8').includes('bookworm');
}

/** The packages' own services stay off: the lab runs private ones. */
async function withoutStartingServices(work: () => Promise<void>): Promise<void> {
  const ours = !existsSync(POLICY);
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
}

async function apt(args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], { env, timeoutMs: 900_000 });
}
