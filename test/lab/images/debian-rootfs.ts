import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command';
import { machinesMirror, sourcesFor, type DebianMirror } from '../engine/debian-mirror';
import type { DockerCli } from '../engine/docker-cli';
import { unmountBelow } from '../mounts';
import { LabUnavailable } from '../lab-unavailable';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Makes a minimal Debian image from the machine's own mirror. The unpacked system is kept as a cache. */
export async function importDebian(docker: DockerCli, suite: string, tag: string, cacheDir: string): Promise<void> {
  const archive = join(cacheDir, `debian-${suite}-${ROOTFS_RECIPE}.tar`);
  if (!existsSync(archive)) await bootstrap(suite, archive);
  await docker.run(['import', '--change', 'CMD ["bash"]', '--change', `ENV PATH=${PATH}`, archive, tag]);
}

/** Changes when the system inside changes: part of its image's tag and of the cache's name. */
export const ROOTFS_RECIPE = 'slim-1';

/** As the public `-slim` images: no documentation, no translations. */
const UNWANTED = ['usr/share/doc', 'usr/share/man', 'usr/share/info', 'usr/share/locale'];

function slim(root: string): void {
  for (const folder of [...UNWANTED, 'var/cache/apt/archives', 'var/lib/apt/lists']) {
    rmSync(join(root, folder), { recursive: true, force: true });
  }
  const excludes = UNWANTED.map((folder) => `path-exclude=/${folder}/*\n`).join('');
  writeFileSync(join(root, 'etc/dpkg/dpkg.cfg.d/slim'), excludes);
}

async function bootstrap(suite: string, archive: string): Promise<void> {
  const mirror = machinesMirror();
  if (!mirror)
    throw new LabUnavailable('no public registry is in reach and this machine has no Debian mirror to build from');
  const root = `${archive}.root`;
  try {
    await unpack(suite, root, mirror);
    await run('tar', ['-C', root, '-cf', `${archive}.part`, '.']);
    renameSync(`${archive}.part`, archive);
  } finally {
    await discard(root);
  }
}

async function unpack(suite: string, root: string, mirror: DebianMirror): Promise<void> {
  await discard(root);
  mkdirSync(root, { recursive: true });
  const options = ['--variant=minbase', '--include=ca-certificates', `--keyring=${mirror.keyring}`];
  await run('debootstrap', [...options, suite, root, mirror.main], { timeoutMs: 900_000 });
  // Its own unmount of /proc fails without a word while somebody reads in there; an archive would then try to hold /proc.
  await unmountBelow(root);
  rmSync(join(root, 'etc/apt/sources.list'), { force: true });
  writeFileSync(join(root, 'etc/apt/sources.list.d/debian.sources'), sourcesFor(suite, mirror));
  slim(root);
}

/** An interrupted debootstrap leaves the machine's own /proc mounted in there. */
async function discard(root: string): Promise<void> {
  await unmountBelow(root);
  rmSync(root, { recursive: true, force: true });
}
