import { join } from 'node:path';
import { type Container, isBuiltHere } from '../../domain/container';
import { isEngineLost, messageOf } from '../../domain/errors';
import type { App } from '../../app';
import { type CliContext, withApp } from '../with-app';
import {
  askAll,
  diunFinding,
  type Finding,
  keptFindings,
  labelFindings,
  storedFindings,
  testChannels,
  timerFindings,
} from '../findings';
import {
  backupFindings,
  carryOverFindings,
  certificateFindings,
  diskFindings,
  notesFindings,
  pilotFindings,
  probeFindings,
  signatureFindings,
  swarmFindings,
  tagFindings,
  watchedFindings,
} from '../host-findings';
import { kitFindings } from '../recovery';
import type { SwarmSeen } from '../../services/read-targets';
import { asJson, inColumns, oneLine, table } from '../text';
import { membersOf, backupPlaceOf } from '../../domain/backups/backup';
import { passGuards } from '../../domain/decision/guards';
import type { LabelProblem, ProbeSpec } from '../../domain/labels/container-labels';

interface Checked {
  ok: boolean;
  findings: Finding[];
  /** Null: the containers could not be read. */
  watched: Treatment[] | null;
  notWatched: string[];
}

/** Looks at everything the service depends on and at what is watched; 0 only when nothing failed. Changes nothing outside. */
export function checkCommand(context: CliContext, options: { json: boolean; notify?: boolean }): Promise<number> {
  const { json, notify = false } = options;
  return withApp(context, { json, generateSecrets: false }, async (app) => {
    const checked = await runChecks(app, notify);
    context.stdout.write(json ? asJson(checked) : reportText(checked, app.settings.dataDir));
    return checked.ok ? 0 : 1;
  });
}

async function runChecks(app: App, notify: boolean): Promise<Checked> {
  const notices = notify ? await noticesOf(app) : [];
  const [asked, read, swarm] = await Promise.all([askAll(app), readContainers(app), swarmSeen(app)]);
  const containers = read.containers ?? [];
  const targets = [...containers, ...swarm.services];
  const [probes, tags, certificates, carryOver, signatures, disk] = await Promise.all([
    probeFindings(app, containers),
    tagFindings(app, targets),
    certificateFindings(app, containers),
    carryOverFindings(app, containers),
    signatureFindings(app, targets),
    diskFindings(app, targets),
  ]);
  const findings = [
    ...[...asked, ...notices, ...read.findings, diunFinding(app), ...timerFindings(app), ...keptFindings(app)],
    ...storedFindings(app, read.containers !== null),
    ...(read.containers === null ? [] : [...backupFindings(app, targets), ...kitFindings(app, targets)]),
    ...[
      ...disk,
      ...probes,
      ...carryOver,
      ...certificates,
      ...tags,
      ...signatures,
      ...watchedFindings(read.containers && targets),
      ...pilotFindings(containers),
      ...labelFindings(targets),
      ...swarmFindings(swarm),
      ...notesFindings(app, containers),
    ],
  ];
  return {
    ok: findings.every(({ status }) => status !== 'failed'),
    findings,
    watched:
      read.containers &&
      targets.filter(isWatched).map((each) => treatmentOf(each, each.swarm ? swarm.services : containers)),
    notWatched: targets.filter(mayBeWatched).map(({ name }) => name),
  };
}

/** That no Docker answers is a finding already. */
async function swarmSeen(app: App): Promise<SwarmSeen> {
  return app.swarm().catch((error: unknown) => {
    app.logger.warn('the Swarm could not be read', { reason: messageOf(error) });
    return { role: 'none', services: [] };
  });
}

async function noticesOf(app: App): Promise<Finding[]> {
  if (app.channels.length > 0) return testChannels(app);
  return [
    { what: 'Channels', status: 'warning', words: 'none is set, so no test notice was sent: set PILOT_NOTIFY_URL' },
  ];
}

/** That no Docker answers is a finding already. */
async function readContainers(app: App): Promise<{ containers: Container[] | null; findings: Finding[] }> {
  try {
    return { containers: await app.containers(), findings: [] };
  } catch (error) {
    if (isEngineLost(error)) return { containers: null, findings: [] };
    return { containers: null, findings: [{ what: 'Containers', status: 'failed', words: messageOf(error) }] };
  }
}

function isWatched({ labels }: Container): boolean {
  return labels.watched;
}

/** Of a Swarm the service is watched, never the containers of its tasks; of Compose never one of `docker compose run`. */
function mayBeWatched(target: Container): boolean {
  return !isWatched(target) && target.swarmService === null && !target.composeRun;
}

const HOW_TO_WATCH = '`diun-pilot suggest` prints the labels to add.';

function reportText({ ok, findings, watched, notWatched }: Checked, dataDir: string): string {
  const marks = { ok: 'ok', warning: 'note', failed: 'FAILED' };
  const rows = findings.map(({ what, status, words }) => [marks[status], what, words]);
  const secrets = join(dataDir, 'secrets');
  return [
    inColumns(rows),
    '',
    watchedText(watched),
    ...(notWatched.length === 0 ? [] : ['', oneLine(`Not watched: ${notWatched.join(', ')}`), HOW_TO_WATCH]),
    '',
    `Token for Diun: PILOT_WEBHOOK_TOKEN, else in ${join(secrets, 'webhook-token')}, generated at the first start.`,
    `Token for the API and the page: PILOT_API_TOKEN, else in ${join(secrets, 'api-token')}.`,
    '',
    ok ? 'All required checks passed.' : 'Fix the lines marked FAILED, then run `diun-pilot check` again.',
    '',
  ].join('\n');
}

function watchedText(watched: Treatment[] | null): string {
  if (watched === null) return 'The watched containers are not known, because Docker cannot be read.';
  if (watched.length === 0) return 'Nothing is watched.';
  return table(['CONTAINER', 'IMAGE', 'POLICY', 'ALLOW', 'PROBE', 'BACKUP OF', 'AN UPDATE'], watched.map(cellsOf));
}

function cellsOf({ container, image, policy, allow, probe, backup, treatment }: Treatment): string[] {
  return [container, image, policy, allow, probe, backup, treatment];
}

/** How one container would be treated, for `check`: the same for people and machines. */
interface Treatment {
  container: string;
  image: string;
  policy: string;
  allow: string;
  probe: string;
  /** What is backed up before its update: the set of its project. */
  backup: string;
  /** As text: the result of an update. */
  treatment: string;
  problems: LabelProblem[];
}

export function treatmentOf(container: Container, all: readonly Container[]): Treatment {
  const { labels } = container;
  const set = membersOf(backupPlaceOf(container), all).map(({ name }) => name);
  return {
    container: container.name,
    image: container.reference,
    policy: labels.policy,
    allow: labels.allow,
    probe: probeText(labels.probe),
    backup: set.length === 0 ? 'none' : set.join(', '),
    treatment: treatmentText(container),
    problems: labels.problems,
  };
}

function treatmentText(container: Container): string {
  const { guard } = passGuards(container);
  if (guard !== null) return guard.always;
  const { labels, database } = container;
  if (labels.policy === 'manual') return 'every update waits for approval';
  if (isBuiltHere(container)) return 'every update waits for approval: its image was built or loaded on this host';
  if (database && !labels.allowDatabase) return 'every update waits for approval: a database';
  const larger = labels.allow === 'major' ? '' : '; a larger one waits for approval';
  const how = labels.strategy === 'handover' ? ', by handover' : '';
  const { askOn = [] } = labels;
  const asks = askOn.length === 0 ? '' : `; waits for approval if its release notes mention ${askOn.join(' or ')}`;
  return `up to ${labels.allow} at once${how}${larger}${asks}`;
}

function probeText(probe: ProbeSpec): string {
  switch (probe.kind) {
    case 'docker':
    case 'nginx':
    case 'postgres':
    case 'gitea':
      return probe.kind;
    case 'http':
      return `http :${probe.port}${probe.path}`;
    case 'tcp':
      return `tcp :${probe.port}`;
    case 'exec':
      return `exec ${probe.command.join(' ')}`;
  }
}
