import type { Deps } from '../../src/deps';
import { join } from 'node:path';
import { createProjectFiles } from '../../src/adapters/project-files/project-files';
import { createReleaseNotes } from '../../src/adapters/release-notes/release-notes';
import { createSignatureVerifier } from '../../src/adapters/sigstore/signature-verifier';
import { createFileStorage } from '../../src/adapters/storage-file/file-storage';
import { PilotError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { Secret } from '../../src/lib/secret';
import type { Store } from '../../src/ports/store';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { receiveWebhook } from '../../src/decisions/receive-webhook';
import { workOnce } from '../../src/queue/worker';
import { FakeCompose } from './fake-compose';
import { FakeEngine } from './fake-engine';
import { FakeSwarm } from './swarm/fake-swarm';
import type { ContainerSpec } from './fake-engine-types';
import { fileDisk, type Disk } from './scene-disk';
import { recordingLogger, type LogLine } from './recording-logger';
import { TestClock } from './test-clock';

/** The heart on a fake engine and a fake Compose, with the real store and real files, on a clock that jumps. */
export interface Scene {
  folder: string;
  clock: TestClock;
  engine: FakeEngine;
  swarm: FakeSwarm;
  compose: FakeCompose;
  store: Store;
  deps: Deps;
  log: LogLine[];
  /** Diun says that `image` has a digest. */
  hear(image: string, digest: string, status?: 'new' | 'update'): { id: string; duplicate: boolean };
  /** Decides and works until nothing is left to do. */
  settle(): Promise<void>;
  /** The process died: everything in memory is gone, the engine and the database file are as they were. */
  restart(): Scene;
  /** All updates, oldest first. */
  updates(): Update[];
  mails(): { kind: string; subject: string; text: string }[];
  close(): void;
}

export function openScene(makeDisk: (clock: TestClock) => Disk = fileDisk): Scene {
  const clock = new TestClock();
  const engine = new FakeEngine(clock);
  return build(makeDisk(clock), clock, { engine, swarm: new FakeSwarm(engine) });
}

function build(disk: Disk, clock: TestClock, { engine, swarm }: Hosts): Scene {
  const { folder } = disk;
  const store = disk.open();
  const { logger, lines } = recordingLogger();
  const compose = new FakeCompose();
  const deps: Deps = {
    engine,
    swarm,
    registryTags: { tags: (reference) => engine.registryTags(reference) },
    registryImages: engine.host.images.registryImages,
    registrySignatures: engine.host.images.registrySignatures,
    signatureVerifier: createSignatureVerifier({ trustedRoot: null }),
    verify: { kind: 'off' },
    releaseNotes: createReleaseNotes({ hosts: [], tokens: new Map(), cache: store.notesCache, now: () => clock.now() }),
    store,
    storage: createFileStorage({ directory: join(folder, 'backups') }),
    projectFiles: createProjectFiles(),
    compose,
    certificates: {
      served: () => Promise.reject(new PilotError('certificate_unreadable', 'Nothing serves TLS on this scene.')),
    },
    clock,
    logger,
    publicUrl: 'https://pilot.example',
    approvalTtlMs: 72 * 3_600_000,
    retention: { daily: 7, weekly: 4, monthly: 6 },
    backupReuseMs: 0,
    updateWindow: null,
    minAgeMs: 0,
    keepImages: null,
    mailDigest: false,
    reconciles: true,
    mode: 'act',
    timeZone: 'Europe/Berlin',
    approvalSecrets: [new Secret('scene-approval-secret')],
    selfId: null,
  };
  return {
    folder,
    clock,
    engine,
    swarm,
    compose,
    store,
    deps,
    log: lines,
    hear: (image, digest, status = 'update') => receiveWebhook(store.inbox, notification(image, digest, status)),
    settle: async () => {
      for (let more = true; more;) {
        const decided = (await handleInbox(deps)) > 0;
        more = (await workOnce(deps)) || decided;
      }
    },
    restart: () => build(disk, clock, restarted({ engine, swarm })),
    updates: () => store.updates.list({ limit: 200 }).updates.reverse(),
    mails: () => store.outbox.recent(200).reverse(),
    close: () => disk.remove(),
  };
}

type Hosts = Pick<Scene, 'engine' | 'swarm'>;

function restarted(hosts: Hosts): Hosts {
  const engine = hosts.engine.afterRestart();
  return { engine, swarm: hosts.swarm.afterRestart(engine) };
}

/** As Diun sends it (test/fixtures/diun). */
export function notification(image: string, digest: string, status: 'new' | 'update' = 'update'): string {
  return JSON.stringify({
    diun_version: 'dev',
    hostname: 'host',
    status,
    provider: 'docker',
    image,
    hub_link: '',
    mime_type: 'application/vnd.docker.distribution.manifest.v2+json',
    digest,
    created: null,
    platform: 'linux/amd64',
    metadata: null,
  });
}

/** `nginx` as the shipped stack runs it: in the network of `edge`, which owns the ports, and handed over. Answers both ids. */
export function runBehindEdge(
  engine: FakeEngine,
  fields: Partial<ContainerSpec> = {},
): { edge: string; nginx: string } {
  engine.addImage({ reference: 'edge:1' });
  const edge = engine.runContainer({ name: 'web-edge-1', image: 'edge:1', ports: { 80: 80 }, restart: 'always' });
  const spec = nginx({ ports: {}, hostConfig: { NetworkMode: `container:${edge}` }, ...fields });
  const labels = { ...spec.labels, 'update.strategy': 'handover', ...fields.labels };
  return { edge, nginx: engine.runContainer({ ...spec, labels }) };
}

/** nginx of a compose project, watched and automatic unless told otherwise. */
export function nginx(fields: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'web-nginx-1',
    image: 'nginx:stable',
    ports: { 80: 80 },
    restart: 'unless-stopped',
    ...fields,
    labels: {
      'diun.enable': 'true',
      'update.policy': 'automatic',
      'com.docker.compose.project': 'web',
      'com.docker.compose.service': 'nginx',
      ...fields.labels,
    },
  };
}
