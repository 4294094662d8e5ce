import { applicationOf, runsNginx } from './application';
import { type Container, type ImageOrigin, pilotIn } from './container';
import { dataPathsOf } from './data/data-paths';
import { COMPOSE } from './compose/compose-project';
import { readDependsOn, readRestartsWith } from './compose/depends-on';
import { type EngineDoor, isEngineDoor } from './network/engine-door';
import type { ContainerSnapshot, ImageInspect, Mount } from './engine-inspect';
import { whyNoHandover } from './handover';
import { probeTimeoutFor } from './health/healthcheck-time';
import type { ContainerLabels, LabelProblem } from './labels/container-labels';
import { ownLabels } from './labels/own-labels';
import { parseFlag } from './labels/parse-flag';
import { readLabels } from './labels/read-labels';

const NO_EFFECT = 'is a label of the image, and an image must not set its own policy: it has no effect here.';
const NO_BACKUP =
  'is a label of the image, and only the operator’s own label opens a container to a backup: nothing of it is backed up, and every update of it waits for approval.';
const NO_VERIFY =
  'is a label of the image, and only the operator’s own label says who must have signed: only PILOT_VERIFY counts, and every update of this container waits for approval.';
const NO_GUARD =
  'is a label of the image, and only the operator’s own label holds updates back: it has no effect here, and every update of this container waits for approval.';
const YOURS_TOO = 'If the label is yours too, write its value with a space at the end, or remove it from the image.';
/** Diun would read the space, too. */
const YOURS_TOO_FOR_DIUN =
  'If the label is yours too, write its value in another way (0 for false, a pattern in parentheses), or remove it from the image.';
/** Labels whose loss lets more start automatically, or with fewer checks. */
const GUARDS: readonly string[] = [
  'update.window',
  'update.min-age',
  'update.ask-on',
  'update.notes',
  'update.soak',
  'update.probe',
  'update.probe.timeout',
  'update.rehearse',
  'update.verify',
  'diun.include_tags',
  'diun.exclude_tags',
];

/** A host name that Docker gave is the first 12 digits of the container's id. */
const SHORTEST_ID = 12;

/**
 * A container as policy sees it, from the inspect results of it and of the image that it runs. `selfId`: the id, or its
 * beginning of at least 12 digits, of the container that this process runs in; null when it runs in none. `door`: where this
 * process reaches the engine; null: by a socket.
 */
export function toContainer(
  inspect: ContainerSnapshot,
  image: ImageInspect,
  selfId: string | null,
  door: EngineDoor | null = null,
): Container {
  const all = inspect.Config.Labels ?? {};
  const own = ownLabels(all, image.Config?.Labels);
  const composeRun = own[COMPOSE.oneOff] === 'True';
  const read = withInherited(readLabels(own), all, own);
  const labels = composeRun ? withoutOrders(read) : read;
  const probeTimeoutMs = probeTimeoutFor(labels, inspect.Config.Healthcheck);
  const repoDigests = image.RepoDigests ?? [];
  const application = applicationOf({
    labels,
    references: [inspect.Config.Image, ...(image.RepoTags ?? []), ...repoDigests],
    env: [...(image.Config?.Env ?? []), ...(inspect.Config.Env ?? [])],
  });
  const database = application === 'postgres' || application === 'database';
  return {
    id: inspect.Id,
    name: inspect.Name.replace(/^\//, ''),
    reference: inspect.Config.Image,
    imageId: inspect.Image,
    origin: originOf(image.Config?.Labels),
    repoDigests,
    // Compose labels the images that it builds, too, so Compose's labels are read from all of them.
    project: all[COMPOSE.project] || null,
    service: all[COMPOSE.service] || null,
    composeRun,
    dependsOn: readDependsOn(all[COMPOSE.dependsOn]),
    restartsWith: readRestartsWith(all[COMPOSE.dependsOn]),
    composeFiles: composeFilesOf(all),
    labels: withStrategy({ ...labels, probeTimeoutMs }, inspect, database),
    mounts: inspect.Mounts.map(mountClause),
    dataPaths: dataPathsOf(inspect.Mounts),
    healthcheck: hasHealthcheck(inspect),
    application,
    running: inspect.State.Running,
    status: inspect.State.Status,
    swarmService: swarmServiceOf(all),
    autoRemove: inspect.HostConfig.AutoRemove,
    database,
    nginx: runsNginx(labels, inspect.Config.Env ?? image.Config?.Env),
    self: selfId !== null && selfId.length >= SHORTEST_ID && inspect.Id.startsWith(selfId),
    engineDoor: door !== null && isEngineDoor(inspect, door),
    pilot: pilotIn(inspect),
  };
}

/** `docker compose run` copies the labels of the service, which say nothing of one command. */
function withoutOrders(labels: ContainerLabels): ContainerLabels {
  return { ...labels, watched: false, backup: null, renewalRole: null, problems: [] };
}

/** By the labels of an image (github.com/opencontainers/image-spec, annotations.md). */
export function originOf(labels: Readonly<Record<string, string>> | null | undefined): ImageOrigin {
  return {
    source: labels?.['org.opencontainers.image.source'] || null,
    version: labels?.['org.opencontainers.image.version'] || null,
  };
}

/** The engine copies that of the image into the container. */
function hasHealthcheck({ Config }: ContainerSnapshot): boolean {
  const [kind = 'NONE'] = Config.Healthcheck?.Test ?? [];
  return kind !== 'NONE';
}

function mountClause({ Type, Name, Source, Destination, RW }: Mount): string {
  return `${Type} ${Name ?? Source} at ${Destination}${RW ? '' : ', read-only'}`;
}

function swarmServiceOf(all: Readonly<Record<string, string>>): string | null {
  if (all['com.docker.swarm.task.id'] === undefined) return null;
  return all['com.docker.swarm.service.name'] ?? 'of an unknown name';
}

/** Compose 2 writes absolute paths; older ones may be relative to the project's folder. */
function composeFilesOf(all: Readonly<Record<string, string>>): string | null {
  const files = (all[COMPOSE.configFiles] ?? '').split(',').filter((file) => file !== '');
  const folder = all[COMPOSE.folder] ?? '';
  const named = files.map((file) => (file.startsWith('/') || folder === '' ? file : `${folder}/${file}`));
  return named.length === 0 ? null : named.join(', ');
}

/** An impossible handover is reported and becomes a recreate: so the plan, the page and the update itself agree. */
function withStrategy(labels: ContainerLabels, inspect: ContainerSnapshot, database: boolean): ContainerLabels {
  if (labels.strategy !== 'handover') return labels;
  const why = whyNoHandover(inspect, { backup: labels.backup, database });
  if (why === null) return labels;
  const message = `cannot be: ${why}; taken as recreate.`;
  const problem = { label: 'update.strategy', value: 'handover', message };
  return { ...labels, strategy: 'recreate', problems: [...labels.problems, problem] };
}

/**
 * A label without effect is reported. One of a backup may be the operator's, spelt as the image's: data may be missing from
 * the backup, so nothing of that container is automatic. Likewise every guard: a person who pushes the image could switch it off.
 */
function withInherited(
  labels: ContainerLabels,
  all: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): ContainerLabels {
  const inherited: LabelProblem[] = Object.entries(all)
    .filter(([label]) => /^(?:update|renewal|diun|backup)\./.test(label) && !Object.hasOwn(own, label))
    .map(([label, value]) => ({
      label,
      value: value.slice(0, 200),
      message: whyWithoutEffect(label, value),
    }));
  const held = labels.policy === 'automatic' && inherited.some(({ label, value }) => isHeldFor(label, value));
  return { ...labels, policy: held ? 'manual' : labels.policy, problems: [...labels.problems, ...inherited] };
}

function whyWithoutEffect(label: string, value: string): string {
  if (!isHeldFor(label, value)) return NO_EFFECT;
  if (label.startsWith('diun.')) return `${NO_GUARD} ${YOURS_TOO_FOR_DIUN}`;
  const why = label.startsWith('backup.') ? NO_BACKUP : label === 'update.verify' ? NO_VERIFY : NO_GUARD;
  return `${why} ${YOURS_TOO}`;
}

function isHeldFor(label: string, value: string): boolean {
  if (label === 'diun.watch_repo') return parseFlag(value) !== true;
  return GUARDS.includes(label) || label.startsWith('backup.');
}
