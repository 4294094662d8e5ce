import { scopeName } from '../domain/backups/backup';
import { join, relative } from 'node:path';
import type { App } from '../app';
import { backupSets } from '../backups/backup-set';
import type { Settings } from '../config/schema';
import type { Container } from '../domain/container';
import { formatAge } from '../domain/format';
import {
  kitFingerprint,
  recoveryKit,
  type KitFacts,
  type KitSet,
  type KitStorage,
} from '../domain/recovery/recovery-kit';
import type { Secret } from '../lib/secret';
import { cliUser, withApp, type CliContext } from './with-app';
import type { Finding } from './findings';
import { asJson, atTime, oneLine } from './text';

/** Everything on the page, from the settings and from what runs. */
function kitFacts(app: App, containers: readonly Container[], version: string): KitFacts {
  const { settings, clock } = app;
  return {
    printedAt: atTime(clock.now().toISOString(), settings.timeZone),
    version,
    image: oneLine(containers.find(({ self }) => self)?.reference ?? 'diun-pilot'),
    storage: storageOf(settings, containers),
    approvalSecret: settings.approvalSecrets.map((secret) => secret.reveal()).join(','),
    sets: backupSets(containers).map(setOf),
  };
}

/** With a second line, a label of an image could put a command of its own between those that are typed from the page. */
function setOf({ place, members }: ReturnType<typeof backupSets>[number]): KitSet {
  const [files = null] = members.flatMap(({ composeFiles, swarm }) => composeFiles ?? swarm?.stackFile ?? []);
  return {
    project: place.project === null ? null : oneLine(place.project),
    stack: members.some(({ swarm }) => swarm !== undefined),
    name: oneLine(scopeName(place)),
    composeFiles: files === null ? null : oneLine(files),
    members: members.map(({ name, service, reference, labels: { backup } }) => ({
      name: oneLine(name),
      service: service === null ? null : oneLine(service),
      reference: oneLine(reference),
      paths: backup?.kind === 'files' ? backup.paths.map(oneLine) : null,
    })),
  };
}

function storageOf({ backup, awsVariables }: Settings, containers: readonly Container[]): KitStorage {
  const onHost = (folder: string): string => folderOnHost(folder, containers);
  switch (backup.kind) {
    case 's3': {
      const url = `s3://${[backup.bucket, backup.prefix].filter((part) => part !== '').join('/')}`;
      return { kind: 's3', url, folder: null, variables: lasting(revealed(awsVariables)) };
    }
    case 'restic': {
      const repository = backup.repository.reveal();
      const folder = repository.startsWith('/') ? onHost(repository) : null;
      const needed = Object.entries(backup.env).filter(([name]) => OF_BACKENDS.test(name));
      return {
        kind: 'restic',
        url: `restic:${folder ?? repository}`,
        folder,
        variables: lasting(revealed(Object.fromEntries(needed))),
      };
    }
    case 'file': {
      const folder = onHost(backup.directory);
      return { kind: 'file', url: `file://${folder}`, folder, variables: {} };
    }
  }
}

/** The password, and what restic's backends read (restic's documentation, "Environment Variables"). */
const OF_BACKENDS = /^(?:RESTIC_(?!CACHE_DIR)|AWS_|AZURE_|B2_|GOOGLE_|OS_|ST_|RCLONE_)/;

function revealed(secrets: Readonly<Record<string, Secret>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.reveal()]));
}

/** Where the AWS SDK finds credentials on this host only. On another one such a name wins over a key, and leads nowhere. */
const OF_THIS_HOST =
  /^AWS_(?:(?:DEFAULT_)?PROFILE|SHARED_CREDENTIALS_FILE|CONFIG_FILE|ROLE_(?:ARN|SESSION_NAME)|WEB_IDENTITY_TOKEN_FILE|CONTAINER_.*|SESSION_TOKEN)$/;
const KEY = /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY)$/;

/** A key with a session token ends within hours. */
function lasting(variables: Record<string, string>): Record<string, string> {
  const endsSoon = (variables['AWS_SESSION_TOKEN'] ?? '') !== '';
  const lasts = Object.entries(variables).filter(([name]) => !OF_THIS_HOST.test(name) && !(endsSoon && KEY.test(name)));
  return Object.fromEntries(lasts);
}

/** What diun-pilot's container has mounted is somewhere else on the host; the innermost mount counts. */
function folderOnHost(folder: string, containers: readonly Container[]): string {
  const mounts = containers.find(({ self }) => self)?.pilot?.mounts ?? [];
  const [mount] = mounts
    .filter(({ inside }) => folder === inside || folder.startsWith(`${inside.replace(/\/$/, '')}/`))
    .sort((a, b) => b.inside.length - a.inside.length);
  return mount === undefined ? folder : join(mount.onHost, relative(mount.inside, folder));
}

/** Whether the page was printed for what is set now; nothing where there is nothing to restore. */
export function kitFindings(app: App, containers: readonly Container[]): Finding[] {
  const what = 'Recovery kit';
  if (backupSets(containers).length === 0) return [];
  const printed = app.store.audit.latest('recovery_kit');
  const how = 'run `diun-pilot recovery-kit` and keep the page away from this host';
  if (printed === null) return [{ what, status: 'warning', words: `never printed: ${how}` }];
  if (printed.detail['fingerprint'] !== kitFingerprint(kitFacts(app, containers, ''))) {
    return [{ what, status: 'warning', words: `printed for other secrets or another storage: ${how}` }];
  }
  const age = app.clock.now().getTime() - Date.parse(printed.at);
  return [{ what, status: 'ok', words: `printed ${formatAge(age)} ago for the current secrets` }];
}

/**
 * Prints the page that leads from an empty host back to the data. It has secrets, so the audit trail records who printed it; only
 * then `check` is content.
 */
export function recoveryKitCommand(context: CliContext, { json }: { json: boolean }): Promise<number> {
  return withApp(context, { json }, async (app) => {
    const [containers, { services }] = await Promise.all([app.containers(), app.swarm()]);
    const facts = kitFacts(app, [...containers, ...services], context.version);
    const kit = recoveryKit(facts);
    const detail = { fingerprint: kitFingerprint(facts) };
    app.store.audit.append({ kind: 'recovery_kit', actor: cliUser(), subject: null, detail });
    context.stdout.write(json ? asJson({ kit }) : kit);
    context.stderr.write('This page contains secrets: keep it in a safe place, not on this host.\n');
    return 0;
  });
}
