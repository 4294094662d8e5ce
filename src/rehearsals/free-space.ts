import { asideName } from '../containers/artifact-names';
import { type BackupItem, NotTried } from '../domain/backups/backup';
import { rethrowEngineLost } from '../domain/errors';
import { DF, parseDf } from '../domain/disk/df';
import { formatBytes } from '../domain/format';
import { REHEARSAL_LABEL } from '../domain/rehearsal/trial-request';
import { type RehearsalRun, removeRehearsal } from './rehearsal-run';
import type { Subject } from './subject';

const KIB = 1024;
/** For what the new version adds, and for the images. */
const RESERVE = 512 * 1024 * KIB;
const ENDS_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 200;

/**
 * The disk of the engine has room for a copy of the data: read by `df` in a container of its own, since the engine may run on
 * another host. An image without `df` says nothing, and the copy is tried. Rejects with `NotTried`.
 */
export async function needRoom(run: RehearsalRun, subject: Subject): Promise<void> {
  const items = subject.set?.record.items ?? [];
  const needed = items.reduce((sum, item) => sum + unpackedBytes(item), 0) + RESERVE;
  const free = await freeBytes(run, subject);
  if (free === null || free >= needed) return;
  throw new NotTried(
    `The disk of the Docker Engine has ${formatBytes(free)} free, and a copy of the data may need ${formatBytes(needed)}. Make room there, then rehearse again.`,
  );
}

/** A careful guess: dumps are compressed, and their indexes are built when they are loaded. */
function unpackedBytes({ kind, bytes, compression }: BackupItem): number {
  if (kind === 'database') return bytes * 6;
  return compression === 'gzip' ? bytes * 3 : bytes;
}

async function freeBytes(run: RehearsalRun, { container, image }: Subject): Promise<number | null> {
  const { engine, rehearsal, clock, logger } = run;
  await removeRehearsal(run, rehearsal.id);
  try {
    const id = await engine.createContainer(asideName(container.name, 'rehearsal', rehearsal.id), {
      body: {
        Image: image.Id,
        Entrypoint: ['/bin/sh'],
        Cmd: ['-c', DF.join(' ')],
        User: '0:0',
        Labels: { 'diun.enable': 'false', [REHEARSAL_LABEL]: rehearsal.id },
        Healthcheck: { Test: ['NONE'] },
        HostConfig: {
          AutoRemove: false,
          NetworkMode: 'none',
          RestartPolicy: { Name: 'no' },
          CapDrop: ['ALL'],
          SecurityOpt: ['no-new-privileges'],
        },
        NetworkingConfig: { EndpointsConfig: {} },
      },
      connect: [],
    });
    await engine.start(id);
    const until = clock.now().getTime() + ENDS_WITHIN_MS;
    while ((await engine.inspectContainer(id)).State.Running) {
      if (clock.now().getTime() >= until) return null;
      await clock.sleep(LOOK_EVERY_MS);
    }
    return parseDf(await engine.logs(id, 5));
  } catch (error) {
    rethrowEngineLost(error);
    logger.info('the free disk space is not known', { container: container.name });
    return null;
  } finally {
    await removeRehearsal(run, rehearsal.id);
  }
}
