import type { Application } from '../application';
import type { Container } from '../container';
import { tryParseImageReference } from '../images/image-reference';
import { byCodeUnits } from '../text/compare';

/** One label to paste, with the reason for its value. */
export interface SuggestedLabel {
  name: string;
  value: string;
  reason: string;
}

/** What diun-pilot proposes for one container. The operator decides: a suggestion changes nothing. */
export interface Suggestion {
  container: string;
  project: string | null;
  service: string | null;
  image: string;
  application: Application;
  /** In the order in which they are pasted; empty: `notes` say why the container cannot be updated. */
  labels: SuggestedLabel[];
  /** What the operator should decide or add, one sentence each. */
  notes: string[];
}

const NAMES: Record<Application, string> = {
  postgres: 'PostgreSQL',
  database: 'a database',
  gitea: 'Gitea',
  nginx: 'nginx',
  unknown: 'an unknown application',
};

/** The labels of one container, from its image, its volumes and its health check. Its own labels are not looked at. */
export function suggestLabels(container: Container): Suggestion {
  const { name, project, service, reference, application } = container;
  const base = { container: name, project, service, image: reference, application };
  const never = whyNever(container);
  if (never !== null) return { ...base, labels: [], notes: [never] };
  const labels = [
    { name: 'diun.enable', value: 'true', reason: 'without it, diun-pilot never changes the container' },
    policyOf(container),
    ...probeOf(container),
    ...backupLabels(container),
  ];
  return { ...base, labels, notes: notesOf(container) };
}

/**
 * Those that are not watched, in order of project and name; diun-pilot's own container, its proxy and what `docker compose run`
 * created are left out.
 */
export function suggestionsFor(containers: readonly Container[]): Suggestion[] {
  return containers
    .filter(({ labels, composeRun }) => !labels.watched && !composeRun)
    .filter(({ self, engineDoor, pilot }) => !self && !engineDoor && pilot === null)
    .map(suggestLabels)
    .sort((a, b) => byCodeUnits(a.project ?? '', b.project ?? '') || byCodeUnits(a.container, b.container));
}

/**
 * The labels as lines of a compose file, below the service's name: YAML in single quotes, with `$` doubled for Compose.
 * Values without control characters only (`dataPathsOf`).
 */
export function labelLines({ labels }: Pick<Suggestion, 'labels'>): string[] {
  return [
    'labels:',
    ...labels.map(({ name, value }) => `  ${name}: '${value.replaceAll("'", "''").replaceAll('$', '$$$$')}'`),
  ];
}

/** The cases in which no update of a container could ever start (domain/decision). */
function whyNever({ swarmService, autoRemove, reference }: Container): string | null {
  if (swarmService !== null)
    return `It is a task of the Swarm service ${swarmService}, which only Swarm changes. Label the service itself (deploy.labels).`;
  if (autoRemove) return 'It deletes itself when it stops (--rm), so nothing could be rolled back.';
  const image = tryParseImageReference(reference);
  if (image === null || image.tag === null || image.digest !== null) {
    return 'It was not created from a tag, so there is nothing newer to find: re-create it from a tag first.';
  }
  return null;
}

function policyOf({ application, database, dataPaths }: Container): SuggestedLabel {
  const manual = (reason: string): SuggestedLabel => ({ name: 'update.policy', value: 'manual', reason });
  if (database) return manual(`${NAMES[application]}: every update should wait for your approval`);
  if (application === 'gitea') return manual('Gitea migrates its data: every update should wait for your approval');
  if (dataPaths.length > 0) return manual(`it holds data in ${dataPaths.join(', ')}`);
  if (application === 'nginx') {
    return {
      name: 'update.policy',
      value: 'automatic',
      reason: 'nginx without data of its own; the old version can always be started again',
    };
  }
  return manual('the application is not recognised');
}

function probeOf({ application, healthcheck }: Container): SuggestedLabel[] {
  if (application !== 'nginx' && application !== 'postgres' && application !== 'gitea') return [];
  const own = healthcheck ? ', in addition to its own HEALTHCHECK' : '';
  return [
    { name: 'update.probe', value: application, reason: `recognised as ${NAMES[application]} by its image${own}` },
  ];
}

function backupLabels({ application, dataPaths }: Container): SuggestedLabel[] {
  if (application === 'postgres') {
    return [{ name: 'backup.kind', value: 'postgres', reason: 'its databases are dumped before each update' }];
  }
  const paths = dataPaths.filter(isNameable);
  if (paths.length === 0) return [];
  return [
    { name: 'backup.kind', value: 'files', reason: 'it writes to volumes' },
    { name: 'backup.paths', value: paths.join(','), reason: 'its writable volumes; remove those that need no backup' },
  ];
}

/** In a list whose entries are separated by commas, with blanks around them. */
function isNameable(path: string): boolean {
  return !path.includes(',') && path === path.trim();
}

function notesOf(container: Container): string[] {
  const { application, dataPaths, healthcheck } = container;
  const notes: string[] = [];
  if (application === 'database') {
    notes.push('diun-pilot dumps only PostgreSQL: of this database it archives the files.');
  }
  if (application === 'unknown' && !healthcheck) {
    notes.push('It has no HEALTHCHECK: add update.probe, such as http://:PORT/PATH or tcp://:PORT.');
  }
  if (!dataPaths.every(isNameable)) {
    notes.push('A path that contains a comma or ends with a blank cannot be named in backup.paths.');
  }
  return notes;
}
