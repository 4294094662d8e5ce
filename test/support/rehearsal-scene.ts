import type { Rehearsal } from '../../src/domain/rehearsal/rehearsal';
import type { Update } from '../../src/domain/update';
import type { CommandCall, ImageSpec, Outcome } from './fake-engine-types';
import { fakePostgres, IN_THE_CONTAINER, type Databases } from './fake-postgres';
import { runForge, type Forge, type ForgeOptions } from './forge-scene';
import type { Scene } from './scene';

export const NAMES = ['forge-db-1', 'forge-gitea-1', 'forge-runner-1', 'other-app-1'];

/** A forge whose gitea is asked about by a command, and a new version of it that the registry has. */
export interface RehearsalScene extends Forge {
  digest: string;
  /** What a migration leaves of a database of the copy. */
  migrate(database: string, dump: Buffer): void;
}

export interface RehearsalOptions extends ForgeOptions {
  /** Answers the probe of the current version; left out: healthy. */
  current?: (call: CommandCall) => Outcome;
  next?: (call: CommandCall) => Outcome;
  spec?: Partial<ImageSpec>;
}

export function rehearsalScene({ current, next, spec, labels, ...options }: RehearsalOptions = {}): RehearsalScene {
  const probe = { 'update.probe': 'exec:is-well', 'update.probe.timeout': '20s' };
  const forge = runForge({ ...options, labels: { ...probe, ...labels } });
  const { engine } = forge.scene;
  const gitea = forge.specs['gitea:1'] as ImageSpec;
  const shell = { ...gitea.scripts };
  const well = (): Outcome => ({ stdout: 'fine' });
  const servers = new Map<string, Databases>();
  engine.host.find('forge-db-1').image.spec.scripts = fakePostgres(forge.databases, servers).scripts ?? {};
  engine.host.find('forge-gitea-1').image.spec.scripts = { ...shell, 'is-well': current ?? well };
  const published = engine.publish('gitea:1', { ...gitea, ...spec, scripts: { ...shell, 'is-well': next ?? well } });
  return {
    ...forge,
    digest: published.digest,
    migrate: (database, dump) => void Object.assign(servers.get(IN_THE_CONTAINER) ?? {}, { [database]: dump }),
  };
}

/** Whether the command runs in the container of a rehearsal. */
export const isRehearsal = ({ container }: CommandCall): boolean => container.Name.includes('.diun-pilot-rehearsal-');

export function announced(scene: Scene): Update {
  return scene.updates().findLast(({ container }) => container === 'forge-gitea-1') as Update;
}

export function rehearsalOf(scene: Scene): Rehearsal | null {
  return scene.store.rehearsals.of(announced(scene).id);
}
