import { randomBytes } from 'node:crypto';
import { NotTried, backupPlaceOf } from '../domain/backups/backup';
import { listDatabases } from '../backups/sources/postgres-source';
import { writersOf } from '../backups/writers';
import { compareStates, differencesText, stateText } from '../domain/data/server-state';
import type { ImageInspect } from '../domain/engine-inspect';
import { codeOf, messageOf } from '../domain/errors';
import type { NewMajor } from '../domain/plan/postgres-major';
import {
  type BackupUsed,
  inconclusiveText,
  majorFailedText,
  majorPassedText,
  type TriedApplication,
  type Verdict,
} from '../domain/rehearsal/rehearsal';
import { serverInSandbox } from '../domain/rehearsal/trial-request';
import { identifier, literal } from '../lib/sql-quoting';
import { conninfo } from '../probes/postgres-probe';
import { psqlOf, type Psql } from '../restores/databases/psql';
import { comesUp, requestFor, type Server } from '../restores/drills/throwaway-server';
import { initdbOptions, obstaclesTo, readCluster, type Cluster } from '../updates/major/cluster';
import { interruptible, mayGoOn, type RehearsalRun, removeRehearsal } from './rehearsal-run';
import { ofContainer, type Subject, type SubjectServer } from './subject';
import { createForTrial, tryServer, type ServerTrial } from './trial';
import { shellQuoted } from '../domain/text/shell';

export interface Major {
  subject: Subject;
  newMajor: NewMajor;
  image: ImageInspect;
  backup: BackupUsed | null;
  /** How long an update is expected to take besides, in seconds; null: not known. */
  backupSeconds: number | null;
}

/**
 * Tries a new PostgreSQL major: what it lacks is found on an empty server first. Then the dumps are loaded into the current and
 * into the new version, the two are compared, and the applications of the set run on both in their current version. Rejects as `rehearseUpdate`.
 */
export async function rehearseMajor(run: RehearsalRun, major: Major): Promise<Verdict> {
  const { subject, newMajor, image, backup } = major;
  const own = subject.servers.find(({ isTarget }) => isTarget);
  if (own === undefined)
    throw new NotTried(`The backup of its set has no dump of ${subject.container.name}, so nothing can be loaded.`);
  const cluster = await readCluster(run.engine, { id: subject.container.id, name: subject.container.name });
  const missing = await onEmptyServer(run, major, own, cluster);
  if (missing.length > 0) return failedVerdict(majorFailedText(newMajor, missing));

  const { applications, skipped } = await applicationsOf(run, subject);
  const superuser = cluster.login.user;
  const current = await tryServer(stage(run, 'current'), subject, { image: subject.image, superuser, applications });
  if (!current.healthy) return { status: 'inconclusive', seconds: null, detail: inconclusiveText(current.words) };
  const next = await tryServer(stage(run, 'new'), subject, { image, superuser, applications });
  if (!next.healthy) return failedVerdict(majorFailedText(newMajor, [next.words]));

  const found = compareStates(current.state, next.state);
  if (found.length > 0) return failedVerdict(majorFailedText(newMajor, [differencesText(found)]));
  const tried = [...compareTrials(current, next), ...skipped];
  const worse = tried.filter(({ verdict }) => verdict === 'failed');
  if (worse.length > 0)
    return failedVerdict(
      majorFailedText(
        newMajor,
        worse.map((each) => onlyOnNew(newMajor, each)),
      ),
    );
  const expectedSeconds = major.backupSeconds === null ? null : major.backupSeconds + next.seconds;
  const compared = stateText(next.state);
  const detail = majorPassedText({ newMajor, backup, seconds: next.seconds, compared, tried, expectedSeconds });
  return { status: 'passed', seconds: next.seconds, detail };
}

function failedVerdict(detail: string): Verdict {
  return { status: 'failed', seconds: null, detail };
}

function stage(run: RehearsalRun, which: string): RehearsalRun {
  return { ...run, onProgress: (detail) => run.onProgress(`${which} version: ${detail}`) };
}

function onlyOnNew({ from, to }: NewMajor, { name, words }: TriedApplication): string {
  return `${name} became healthy on PostgreSQL ${from} and not on PostgreSQL ${to}. ${words}`;
}

/** Only a difference between the two versions says something about the new one. */
function compareTrials(current: ServerTrial, next: ServerTrial): TriedApplication[] {
  return current.applications.map(({ name, outcome: before }, at): TriedApplication => {
    const after = next.applications[at]?.outcome;
    if (!before.healthy) return { name, verdict: 'inconclusive', words: before.words };
    if (after?.healthy) return { name, verdict: 'passed', words: `after ${after.seconds} s` };
    return { name, verdict: 'failed', words: after?.words ?? 'It was not tried.' };
  });
}

/** What uses the databases of the set, in its current version. */
async function applicationsOf(
  run: RehearsalRun,
  subject: Subject,
): Promise<{ applications: Subject[]; skipped: TriedApplication[] }> {
  const applications: Subject[] = [];
  const skipped: TriedApplication[] = [];
  const writers = writersOf(backupPlaceOf(subject.container), subject.all).filter(({ running }) => running);
  for (const container of writers) {
    try {
      applications.push(await ofContainer(run, container, subject));
    } catch (error) {
      if (!(error instanceof NotTried)) throw error;
      skipped.push({ name: container.name, verdict: 'skipped', words: messageOf(error) });
    }
  }
  return { applications, skipped };
}

/** Seconds instead of a whole load: extensions, libraries, locale and settings, each as a sentence with what to do. */
async function onEmptyServer(
  run: RehearsalRun,
  { subject, newMajor, image }: Major,
  own: SubjectServer,
  cluster: Cluster,
): Promise<string[]> {
  const found = obstaclesTo(cluster);
  await removeRehearsal(run, run.rehearsal.id);
  try {
    run.onProgress(`looking at what PostgreSQL ${newMajor.to} has`);
    const made = requestFor(
      { image, preload: own.preload, superuser: cluster.login.user },
      randomBytes(24).toString('base64url'),
    );
    made.body.Env = [...(made.body.Env ?? []), `POSTGRES_INITDB_ARGS=${initdbArguments(cluster, Number(newMajor.to))}`];
    const sandbox = { kind: 'own', hosts: new Map(), hostname: null } as const;
    const trial = { rehearsalId: run.rehearsal.id, image, sandbox, listens: null };
    const server = await createForTrial(run, own.dumped.container, serverInSandbox(made, own.production, trial));
    await run.engine.start(server.id);
    const problem = await problemOfStart(run, server);
    if (problem !== null) return [...found, problem];
    mayGoOn(run, run.update.id);
    const fresh = await psqlOf(run.engine, server);
    found.push(...(await missingExtensions(run, subject, newMajor, fresh)));
    found.push(...(await refusedSettings(run, subject, newMajor, fresh)));
    return found;
  } finally {
    await removeRehearsal(run, run.rehearsal.id);
  }
}

/** How it authenticates and who its superuser is, the throwaway's entrypoint says. */
function initdbArguments(cluster: Cluster, major: number): string {
  return initdbOptions(cluster, major)
    .filter((option) => !/^--(?:username|auth-\w+|no-instructions)\b/.test(option))
    .map(shellQuoted)
    .join(' ');
}

async function problemOfStart(run: RehearsalRun, server: Server): Promise<string | null> {
  try {
    await comesUp(run.engine, interruptible(run, run.update.id), server);
    return null;
  } catch (error) {
    if (codeOf(error) !== 'drill_failed') throw error;
    return messageOf(error);
  }
}

async function missingExtensions(
  { engine, update }: RehearsalRun,
  { container }: Subject,
  { to }: NewMajor,
  fresh: Psql,
): Promise<string[]> {
  const { login } = await psqlOf(engine, container);
  const available = new Set(await fresh.list('SELECT name FROM pg_catalog.pg_available_extensions'));
  const found: string[] = [];
  for (const database of await listDatabases(engine, container, login)) {
    const ask = ['psql', '-X', '-w', '-q', '-At', '-U', login.user, '-d', conninfo(database)];
    const query = ['-c', 'SELECT extname FROM pg_catalog.pg_extension ORDER BY extname'];
    const { exitCode, stdout, stderr } = await engine.exec(container.id, [...ask, ...query], { env: login.env });
    if (exitCode !== 0)
      throw new NotTried(`The extensions of database ${database} could not be read: ${stderr.trim()}`);
    for (const name of stdout.split('\n').filter((line) => line !== '' && !available.has(line)))
      found.push(
        `Database ${database} of ${container.name} uses the extension ${name}, which ${update.to.reference} does not have. Use an image of PostgreSQL ${to} that has it, or remove it where nothing needs it: DROP EXTENSION ${identifier(name)}.`,
      );
  }
  return found;
}

/** Not where the files are, which each server has its own; nor those of extensions, which any server accepts. */
const CONFIGURED = `SELECT json_build_array(name, setting)::text FROM pg_catalog.pg_settings
  WHERE source IN ('configuration file', 'command line') AND context <> 'internal' AND name !~ '\\.'
    AND name NOT IN ('data_directory', 'config_file', 'hba_file', 'ident_file', 'external_pid_file')`;

/** `ALTER SYSTEM` checks name and value, and nothing takes effect without a restart. */
async function refusedSettings(
  run: RehearsalRun,
  { container }: Subject,
  { to }: NewMajor,
  fresh: Psql,
): Promise<string[]> {
  const production = await psqlOf(run.engine, container);
  const found: string[] = [];
  for (const line of await production.list(CONFIGURED)) {
    const [name, value] = JSON.parse(line) as [string, string];
    try {
      await fresh.run([`ALTER SYSTEM SET ${identifier(name)} TO ${literal(value)}`]);
    } catch (error) {
      if (codeOf(error) !== 'restore_failed') throw error;
      const why = /ERROR: +(.*)/.exec(messageOf(error))?.[1] ?? messageOf(error);
      found.push(
        `PostgreSQL ${to} does not accept the setting ${name} = ${value} of ${container.name} (${why}). Remove or change it: in the command of its service, in postgresql.conf, or by ALTER SYSTEM RESET ${name}.`,
      );
    }
  }
  return found;
}
