import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broken, eventually } from '../../support/eventually';
import { messageOf } from '../../../src/domain/errors';
import { run } from '../command';
import { guests, labDir, type Lab } from '../lab';
import { startLasting, type LastingProcess } from '../lasting-process';
import { unmountBelow } from '../mounts';
import { sendSignal } from '../process-identity';
import { Registry } from '../registry/registry';
import { askEngine } from './ask-engine';
import { downloadFromTrixie } from './debian-packages';
import { DockerCli } from './docker-cli';
import { podmanNetwork } from './engine-place';
import { letThrough, removeRulesAbout } from './firewall';

/** Debian 13's, unpacked into the cache: installed, they would replace libraries of this machine. */
const PACKAGES = [
  ...['podman', 'conmon', 'crun', 'netavark', 'aardvark-dns', 'catatonit', 'libsubid5', 'libyajl2'],
  ...['golang-github-containers-common', 'golang-github-containers-image'],
  ...['libgpgme11t64', 'libgpg-error0', 'libassuan9', 'libglib2.0-0t64'],
];

/** Podman beside the lab's engine, with storage and networks of its own. */
export interface OpenPodman {
  /** The same registry and scratch folders, but this engine, which has no images at its start. */
  readonly lab: Lab;
  /** A network of a compose file that containers of this engine can use here. */
  readonly network: object;
  close(): Promise<void>;
}

/** Why Podman cannot be started here; null: it can. */
export function whyNoPodman(dir = labDir()): string | null {
  if (process.getuid?.() !== 0) return 'it is started as root only';
  if (!existsSync(mark(dir))) return `the packages of Debian 13 are not in ${unpacked(dir)}; the lab says why`;
  const { status, error, stderr } = spawnSync(program(dir, 'podman'), ['--version'], {
    env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: libraries(dir) },
    encoding: 'utf8',
  });
  return status === 0 ? null : `it does not start: ${error?.message ?? stderr}`;
}

/** Downloads Podman once. A machine without Debian's mirror is told so aloud, and goes without: only the tests on Podman need it. */
export async function ensurePodman(say: (line: string) => void, dir = labDir()): Promise<void> {
  if (existsSync(mark(dir)) || process.getuid?.() !== 0) return;
  const debs = join(unpacked(dir), 'debs');
  try {
    mkdirSync(debs, { recursive: true });
    say('downloading Podman 5 …');
    await downloadFromTrixie(PACKAGES, debs);
    for (const deb of readdirSync(debs)) await run('dpkg-deb', ['-x', join(debs, deb), unpacked(dir)]);
    rmSync(debs, { recursive: true });
    writeFileSync(mark(dir), '');
  } catch (error) {
    rmSync(unpacked(dir), { recursive: true, force: true });
    say(`!!! Podman cannot be had here, so nothing is tested on it: ${messageOf(error)}`);
  }
}

export async function openPodman(lab: Lab): Promise<OpenPodman> {
  const { dir } = lab;
  await clearPodman(dir);
  mkdirSync(join(home(dir), '.config/containers'), { recursive: true });
  configure(lab);
  const { bridge, range } = podmanNetwork(dir);
  await letThrough({ bridge, range });
  const service = await begin(dir);
  const docker = new DockerCli(lab.docker.path, host(dir));
  const registry = new Registry(lab.registry.address, lab.docker, docker);
  return {
    lab: { ...lab, docker, viewHost: host(dir), registry },
    network: {
      driver_opts: { 'com.docker.network.bridge.name': bridge },
      ipam: { config: [{ subnet: range }] },
    },
    close: async () => {
      await service.stop();
      await clearPodman(dir);
    },
  };
}

/** What a test that died left of it: containers outlive the service. */
export async function clearPodman(dir: string): Promise<void> {
  if (!existsSync(home(dir))) return;
  for (const pid of processesOf(dir)) sendSignal(pid, 'SIGKILL');
  await eventually('the processes of Podman end', () => processesOf(dir).length === 0, { timeoutMs: 20_000 });
  await unmountBelow(home(dir));
  await removeRulesAbout(podmanNetwork(dir).bridge);
  rmSync(home(dir), { recursive: true, force: true });
}

async function begin(dir: string): Promise<LastingProcess> {
  const command = [program(dir, 'podman'), '--root', join(home(dir), 'storage'), '--runroot', join(home(dir), 'run')];
  const service = startLasting(guests(dir), {
    name: 'podman',
    file: 'unshare',
    // crun refuses both versions of control groups at once: here it sees one.
    args: [
      ...['--mount', '--propagation', 'private', 'sh', '-c'],
      ...['umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', 'sh', ...command],
      ...['system', 'service', '--time=0', host(dir)],
    ],
    env: environment(dir),
    logFile: join(home(dir), 'podman.log'),
  });
  const answers = async (): Promise<boolean> => {
    if (!service.running()) throw new Broken(`podman ended: ${service.lines().slice(-5).join('\n')}`);
    return (await askEngine(host(dir), '/_ping'))?.status === 200;
  };
  await eventually('Podman answers', answers);
  return service;
}

/** The machine's own files in /etc/containers are for the machine's own Podman. */
function configure({ dir, registry }: Lab): void {
  const root = unpacked(dir);
  const config = (name: string, text: string): void => writeFileSync(join(home(dir), '.config/containers', name), text);
  for (const name of ['crun', 'conmon']) {
    const wrapper = `#!/bin/sh\nLD_LIBRARY_PATH=${libraries(dir)} exec ${program(dir, name)} "$@"\n`;
    writeFileSync(join(home(dir), name), wrapper, { mode: 0o755 });
  }
  config('policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}\n');
  config('registries.conf', `[[registry]]\nlocation = "${registry.address}"\ninsecure = true\n`);
  config(
    'containers.conf',
    `[containers]
seccomp_profile = "${root}/usr/share/containers/seccomp.json"
apparmor_profile = ""
init_path = "${root}/usr/bin/catatonit"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
conmon_path = ["${join(home(dir), 'conmon')}"]
helper_binaries_dir = ["${root}/usr/lib/podman", "${root}/usr/bin"]
[engine.runtimes]
crun = ["${join(home(dir), 'crun')}"]
[network]
# Rules of its own would be in the packet filter of this machine.
firewall_driver = "none"
network_config_dir = "${join(home(dir), 'networks')}"
`,
  );
}

function environment(dir: string): NodeJS.ProcessEnv {
  const config = join(home(dir), '.config/containers');
  return {
    PATH: process.env['PATH'],
    HOME: home(dir),
    XDG_CONFIG_HOME: join(home(dir), '.config'),
    TMPDIR: existsSync(home(dir)) ? home(dir) : undefined,
    LD_LIBRARY_PATH: libraries(dir),
    CONTAINERS_CONF: join(config, 'containers.conf'),
    CONTAINERS_REGISTRIES_CONF: join(config, 'registries.conf'),
    PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
  };
}

/** Whoever names its folder, and what runs in its containers: children of their monitors. */
function processesOf(dir: string): number[] {
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const named = all.filter((pid) => read(pid, 'cmdline').includes(`${home(dir)}/`));
  const parentOf = (pid: string): string =>
    read(pid, 'stat')
      .replace(/^.*\) \S+ /s, '')
      .split(' ')[0] ?? '';
  const monitors = new Set(named.filter((pid) => /conmon/.test(read(pid, 'cmdline').split('\0')[0] ?? '')));
  const inContainers = all.filter((pid) => monitors.has(parentOf(pid)));
  return [...new Set([...inContainers, ...named])].map(Number);
}

const home = (dir: string): string => join(dir, 'podman');
const unpacked = (dir: string): string => join(dir, 'cache/podman-5');
const mark = (dir: string): string => join(unpacked(dir), 'complete');
const libraries = (dir: string): string => join(unpacked(dir), 'usr/lib/x86_64-linux-gnu');
const host = (dir: string): string => `unix://${join(home(dir), 'podman.sock')}`;
const program = (dir: string, name: string): string => join(unpacked(dir), 'usr/bin', name);
