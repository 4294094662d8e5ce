import { randomBytes } from 'node:crypto';
import { linkOn } from '../support/approval-http';
import { aCertificate, aSeen } from '../support/certificate-builder';
import type { ImageSpec } from '../support/fake-engine-types';
import { aDump, fakePostgres } from '../support/fake-postgres';
import { REAL_SHELL } from '../support/real-shell';
import { nginx, openScene, type Scene } from '../support/scene';
import { readContainers } from '../../src/containers/read-containers';
import { requestBackups } from '../../src/backups/backup-queue';
import { decideById } from '../../src/decisions/approve';
import { createDelivery } from '../../src/notifications/deliver';
import type { MailTransport } from '../../src/ports/mail-transport';
import type { Update } from '../../src/domain/update';

/** A month of a small host on the fake engine: every row is written by the code that writes it in service. */
export interface Month {
  scene: Scene;
  /** The update that waits for the operator. */
  waiting: Update;
  /** Path of its link. */
  link: string;
  /** HTML of the mail that requests the approval. */
  mail: string;
}

const DAY_MS = 86_400_000;
const DAYS = 30;
const GITEA = 'git-gitea-1';
const WATCHED = { 'diun.enable': 'true' };
const HEALTHCHECK = { Test: ['CMD', 'true'], Interval: 2e9 };
const SLOW_GITEA: ImageSpec = {
  ...{ health: 'slow', slowMs: 38_000, scripts: { ...REAL_SHELL } },
  config: { Healthcheck: { ...HEALTHCHECK, StartPeriod: 120e9 } },
};
const SLOW_GRAFANA: ImageSpec = { ...SLOW_GITEA, slowMs: 12_000 };
const QUICK: ImageSpec = { config: { Healthcheck: HEALTHCHECK } };

/** Thirty days of nightly backups and updates, then a new Gitea that waits. */
export async function liveAMonth(): Promise<Month> {
  const scene = openScene();
  storageTakesTime(scene);
  startContainers(scene);
  for (let day = 1; day <= DAYS; day++) await liveADay(scene, day);
  certificates(scene);
  await backUp(scene);
  await scene.clock.advance(2 * 3_600_000);
  await publish(scene, 'gitea/gitea:1.24.6', SLOW_GITEA);
  await deliverMails(scene);
  const waiting = scene.store.updates.withStatus('awaiting_approval').at(-1);
  if (waiting === undefined) throw new Error(`No update waits: ${JSON.stringify(scene.updates().at(-1))}`);
  const mail = scene.store.outbox.recent(20).find(({ updateId }) => updateId === waiting.id);
  return { scene, waiting, link: linkOn(scene, waiting), mail: mail?.html ?? '' };
}

function startContainers({ engine }: Scene): void {
  const inGit = (service: string, labels: Record<string, string> = {}) => ({
    ...WATCHED,
    ...{ 'com.docker.compose.project': 'git', 'com.docker.compose.service': service },
    ...labels,
  });
  engine.addImage({
    reference: 'postgres:17',
    ...fakePostgres({ gitea: aDump('gitea'), postgres: aDump('postgres') }),
  });
  engine.addImage({ reference: 'gitea/gitea:1.24.5', ...SLOW_GITEA });
  for (const reference of ['nginx:stable', 'redis:8', 'grafana/grafana:12.3']) engine.addImage({ reference, ...QUICK });
  engine.runContainer({
    ...{ name: 'git-db-1', image: 'postgres:17', volumes: { 'git-rows': '/var/lib/postgresql/data' } },
    labels: inGit('db', { 'backup.kind': 'postgres' }),
  });
  engine.files('git-db-1').write('/var/lib/postgresql/data/PG_VERSION', '17\n');
  engine.runContainer({
    ...{ name: GITEA, image: 'gitea/gitea:1.24.5', volumes: { 'git-files': '/data' } },
    labels: inGit('gitea', { 'backup.kind': 'files', 'backup.paths': '/data' }),
  });
  engine.runContainer(nginx());
  engine.runContainer({
    name: 'cache-redis-1',
    image: 'redis:8',
    labels: { ...WATCHED, 'update.policy': 'automatic' },
  });
  engine.runContainer({
    ...{ name: 'watch-grafana-1', image: 'grafana/grafana:12.3' },
    labels: { ...WATCHED, 'update.policy': 'automatic' },
  });
}

/** A backup in the night; what is released comes in the afternoon. */
async function liveADay(scene: Scene, day: number): Promise<void> {
  const { clock, deps, engine, store } = scene;
  const size = 3_000_000 + day * 55_000 + (day % 7) * 30_000;
  engine.files(GITEA).write('/data/repositories.pack', randomBytes(size));
  await backUp(scene);
  await clock.advance(13 * 3_600_000);
  if (day % 6 === 1) await publish(scene, 'nginx:stable', { ...QUICK, health: day === 13 ? 'never' : 'healthy' });
  if (day % 8 === 3) await publish(scene, 'redis:8', QUICK);
  if (day % 9 === 5) await publish(scene, 'grafana/grafana:12.3', SLOW_GRAFANA);
  if (day === 9 || day === 21) await publish(scene, 'gitea/gitea:1.24.5', SLOW_GITEA);
  for (const { id } of store.updates.withStatus('awaiting_approval')) await decideById(deps, id, 'approve', 'page');
  await scene.settle();
  await clock.advance(DAY_MS - 13 * 3_600_000);
}

async function backUp(scene: Scene): Promise<void> {
  const { deps, store } = scene;
  const containers = await readContainers(deps.engine, deps.selfId);
  requestBackups({ store, containers }, { reason: 'schedule' });
  await scene.settle();
}

/** The clock of the scene stands still while bytes are written: here a storage takes its time for them. */
function storageTakesTime({ clock, deps }: Scene): void {
  const { storage } = deps;
  deps.storage = {
    ...storage,
    put: async (key, content) => {
      const stored = await storage.put(key, content);
      await clock.sleep(2_000 + stored.bytes / 200);
      return stored;
    },
  };
}

async function deliverMails({ clock, deps, store }: Scene): Promise<void> {
  const transport: MailTransport = { send: () => Promise.resolve(), check: () => Promise.resolve() };
  const parts = { store, transport, from: 'diun-pilot@example.org', to: ['operator@example.org'] };
  await createDelivery({ ...parts, clock, logger: deps.logger }).deliverDue();
}

async function publish(scene: Scene, reference: string, spec: ImageSpec): Promise<void> {
  const { digest } = scene.engine.publish(reference, spec);
  const image = reference.includes('/') ? `docker.io/${reference}` : `docker.io/library/${reference}`;
  scene.hear(image, digest);
  await scene.settle();
}

function certificates({ clock, store }: Scene): void {
  const now = clock.now();
  const seen = (name: string, left: number) => {
    const disk = aCertificate({ left, now, names: [name] });
    return aSeen({ name, disk, served: disk });
  };
  store.certificates.replace([seen('git.example.org', 71), seen('www.example.org', 34), seen('cloud.example.org', 52)]);
}
