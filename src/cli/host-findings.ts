import type { App } from '../app';
import { backupSets } from '../backups/backup-set';
import { longestBackupAge } from '../backups/set-notices';
import { type BackupPlace, type BackupRecord, scopeName, takenAt } from '../domain/backups/backup';
import { type CertificateSeen, isNotLoaded, validity } from '../domain/certificates/certificate';
import { type Container, ONE_PILOT, otherPilots } from '../domain/container';
import { diskProblem } from '../domain/disk/df';
import { formatAge, formatBytes, plural } from '../domain/format';
import type { HealthFailure } from '../domain/health/health-failure';
import { readSource, whyNotAllowed } from '../domain/notes/source';
import { NOTHING_TO_SAY, refusalText } from '../domain/recreate/carry-over';
import type { SwarmSeen } from '../services/read-targets';
import { type Finding, within } from './findings';
import { atTime, inBytes } from './text';
import { certificateProblems } from '../diagnosis/problems';
import { forOperator, type ProblemKind } from '../diagnosis/problem';

// What `check` finds out about the containers of this host. Notes, no failures: the service works.

/** Each set with its last good backup. */
export function backupFindings(app: App, containers: readonly Container[]): Finding[] {
  const what = 'Backup set';
  const sets = backupSets(containers);
  if (sets.length === 0) return [{ what, status: 'ok', words: 'none: no container has the label backup.kind' }];
  return sets.map(({ place }): Finding => {
    const last = app.store.backups.lastSucceeded(place);
    if (last === null)
      return {
        what,
        status: 'warning',
        words: `${scopeName(place)}: no good backup yet; \`diun-pilot backup\` takes one`,
      };
    return { what, ...lastGood(app, place, last) };
  });
}

function lastGood(app: App, place: BackupPlace, last: BackupRecord): Omit<Finding, 'what'> {
  const at = takenAt(last);
  const age = app.clock.now().getTime() - Date.parse(at);
  const old = age > longestBackupAge(app, at);
  const failed = last.drill?.status === 'failed';
  const drill = last.drill === null ? '' : `, restore drill ${last.drill.status}`;
  const advice = old ? '; too old: see `diun-pilot backups`' : failed ? `: ${last.drill?.words ?? ''}` : '';
  const when = `${formatAge(age)} ago (${atTime(at, app.settings.timeZone)})`;
  return {
    status: old || failed ? 'warning' : 'ok',
    words: `${scopeName(place)}: last good backup ${when}, ${inBytes(last.bytes)}${drill}${advice}`,
  };
}

/** Containers that fail their own health check now: their first update would end as a failed rollback. */
export function probeFindings(app: App, containers: readonly Container[]): Promise<Finding[]> {
  const what = 'Probe';
  const asked = containers.filter(({ labels, self, running }) => labels.watched && !self && running);
  return within(app, what, 'warning', async () => {
    const unhealthy = await app.look.unhealthy(asked);
    const healthy = asked.filter(({ id }) => !unhealthy.has(id)).map(({ name }) => name);
    const passed: Finding[] =
      healthy.length === 0 ? [] : [{ what, status: 'ok', words: `${healthy.join(', ')}: all checks passed` }];
    return [
      ...passed,
      ...asked.flatMap(({ id, name }): Finding[] => {
        const failure = unhealthy.get(id);
        return failure === undefined ? [] : [{ what, status: 'warning', words: healthFailureText(name, failure) }];
      }),
    ];
  });
}

/** What the next update of each would be refused for, or would lose. */
export function carryOverFindings(app: App, containers: readonly Container[]): Promise<Finding[]> {
  const what = 'Carry-over';
  const asked = containers.filter(({ labels, self }) => labels.watched && !self && labels.policy !== 'ignore');
  return within(app, what, 'warning', async () => {
    const found = await app.look.carryOver(asked);
    return asked.flatMap(({ id, name }) => {
      const { refusals, notes } = found.get(id) ?? NOTHING_TO_SAY;
      const texts = [...refusals.map((each) => `its update will be refused. ${refusalText(each)}`), ...notes];
      return texts.map((text): Finding => ({ what, status: 'warning', words: `${name}: ${text}` }));
    });
  });
}

function healthFailureText(name: string, { of, detail }: HealthFailure): string {
  const remedy = of === 'probe' ? `if ${name} works, fix its label update.probe, else fix ${name}` : `fix ${name}`;
  return `${name} currently fails its own health check: ${detail}. diun-pilot could not verify an update and would roll it back: ${remedy}`;
}

/** As they are served and lie on disk now. */
export function certificateFindings(app: App, containers: readonly Container[]): Promise<Finding[]> {
  if (containers.every(({ labels }) => labels.renewalRole === null)) return Promise.resolve([]);
  const what = 'Certificate';
  return within(app, what, 'warning', async () => {
    const seen = await app.look.certificates();
    if (seen.length === 0)
      return [{ what, status: 'warning', words: 'no certificate found; has the first one been issued?' }];
    return seen.map((each) => ({ what, ...certificateText(each, app.clock.now()) }));
  });
}

/** After the name and the days left. */
const SHORTER: Partial<Record<ProblemKind, string>> = {
  certificate_near_end: 'near expiry',
  certificate_not_loaded: 'the server has not loaded what is on disk',
  certificate_not_seen: 'a certificate could not be read',
};

function certificateText(seen: CertificateSeen, now: Date): Omit<Finding, 'what'> {
  const { name, served, disk } = seen;
  const problems = certificateProblems(seen, now);
  const parts = [
    ...(served === null ? [] : [`served: ${validity(served, now)}`]),
    ...(disk === null || (served !== null && !isNotLoaded(seen)) ? [] : [`on disk: ${validity(disk, now)}`]),
    ...problems.map((problem) => forOperator({ ...problem, words: SHORTER[problem.kind] ?? problem.words })),
  ];
  return { status: problems.length > 0 ? 'warning' : 'ok', words: `${name}: ${parts.join('; ')}` };
}

/** Of the engine, now; nothing where no watched container runs, in which it is read. */
export function diskFindings(app: App, containers: readonly Container[]): Promise<Finding[]> {
  if (!containers.some(({ labels, self, running }) => labels.watched && !self && running)) return Promise.resolve([]);
  const what = 'Disk';
  return within(app, what, 'warning', async () => {
    const free = await app.look.freeOnEngine();
    if (free === null) return [{ what, status: 'ok', words: 'free space not known: no watched container has `df`' }];
    const problem = diskProblem(free);
    const room = `${formatBytes(free)} free on the disk of the Docker Engine`;
    return [{ what, status: problem === null ? 'ok' : 'warning', words: problem ?? room }];
  });
}

/** What would become of a newer tag; nothing where none is looked for. */
export function tagFindings(app: App, containers: readonly Container[]): Promise<Finding[]> {
  return within(app, 'New tags', 'warning', async () => {
    const foreseen = await Promise.all(containers.map((container) => app.look.newTag(container)));
    return foreseen
      .filter((each) => each !== null)
      .map((each): Finding => {
        const what = 'New tags';
        if ('path' in each) return { what, status: 'ok', words: `${each.container}: written into ${each.path}` };
        const words = `${each.container}: change the tag yourself after each update; diun-pilot cannot write it: ${each.why}`;
        return { what, status: 'warning', words };
      });
  });
}

/** Two on one engine both act on all that is watched. */
export function pilotFindings(containers: readonly Container[]): Finding[] {
  return otherPilots(containers).map((name): Finding => {
    const words = `another diun-pilot runs in the container ${name} on this engine: ${ONE_PILOT}`;
    return { what: 'Other pilot', status: 'warning', words };
  });
}

export function watchedFindings(containers: readonly Container[] | null): Finding[] {
  if (containers === null || containers.some(({ labels }) => labels.watched)) return [];
  const words =
    'nothing: give each service that diun-pilot may update the label diun.enable: "true" (docs/labels.md), then `docker compose up -d`';
  return [{ what: 'Watched', status: 'warning', words }];
}

/** Containers whose release notes cannot be read, and tokens for hosts that are never asked. Asks nothing. */
export function notesFindings(
  { settings: { notes } }: Pick<App, 'settings'>,
  containers: readonly Container[],
): Finding[] {
  const what = 'Release notes';
  const watched = containers.filter(({ labels }) => labels.watched && labels.policy !== 'ignore');
  const found = watched.flatMap((container): Finding[] => {
    const why = whyUnread(container, notes.hosts);
    return why === null ? [] : [{ what, status: 'warning', words: `${container.name}: ${why}` }];
  });
  const unused = [...notes.tokens.keys()].filter((host) => {
    const url = new URL(`https://${host}/`);
    return whyNotAllowed(url, notes.hosts) !== null;
  });
  return [
    ...found,
    ...unused.map((host): Finding => ({
      what,
      status: 'warning',
      words: `PILOT_NOTES_TOKENS has a token for ${host}, which is never asked: list it in PILOT_NOTES_HOSTS`,
    })),
  ];
}

function whyUnread({ labels, origin }: Container, hosts: App['settings']['notes']['hosts']): string | null {
  const asks =
    (labels.askOn ?? []).length > 0 ? ' Until then update.ask-on asks about every update with a new version.' : '';
  const text = labels.notes ?? (labels.notes === null ? null : (origin?.source ?? null));
  const source = text === null ? null : readSource(text);
  if (source === null) {
    // Without update.ask-on nothing is missing: many images have no source.
    return asks === '' || labels.notes === null
      ? null
      : `no source of release notes is known: set update.notes.${asks}`;
  }
  const [first] = source.asked;
  if (first === undefined)
    return `${source.url} is not the address of a repository or a changelog: set update.notes.${asks}`;
  const refusal = whyNotAllowed(new URL(first.api), hosts);
  return refusal === null ? null : `${refusal}${asks}`;
}

/** A worker sees the containers of its tasks, but no service. */
export function swarmFindings({ role, services }: SwarmSeen): Finding[] {
  const what = 'Swarm';
  if (role === 'none') return [];
  if (role === 'worker')
    return [
      {
        what,
        status: 'warning',
        words:
          'this engine is a worker, so its services cannot be updated from here: run diun-pilot on a manager (docs/swarm.md). Containers are updated as usual',
      },
    ];
  const watched = services.filter(({ labels }) => labels.watched).length;
  return [{ what, status: 'ok', words: `manager of ${plural(services.length, 'service')}, ${watched} watched` }];
}

const what = 'Signature';

/** Whether what each watched container or service runs is signed; where `update.verify` requires it, whether as required. */
export function signatureFindings(app: App, targets: readonly Container[]): Promise<Finding[]> {
  const watched = targets.filter(({ labels }) => labels.watched && labels.policy !== 'ignore');
  return within(app, what, 'warning', async () => {
    const seen = await app.look.signatures(watched);
    const required = seen.flatMap(({ name, rule, status, words }): Finding[] =>
      rule === null ? [] : [{ what, status: status === 'verified' ? 'ok' : 'warning', words: `${name}: ${words}` }],
    );
    const others = seen.filter(({ rule }) => rule === null);
    return [...required, ...notRequired(others)];
  });
}

function notRequired(seen: readonly { name: string; words: string }[]): Finding[] {
  const groups = new Map<string, string[]>();
  for (const { name, words } of seen) groups.set(words, [...(groups.get(words) ?? []), name]);
  return [...groups].map(([words, names]) => ({ what, status: 'ok', words: `${names.join(', ')}: ${words}` }));
}
