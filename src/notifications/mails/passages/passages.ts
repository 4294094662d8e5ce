import { formatBytes, formatTime, plural } from '../../../domain/format';
import type { BackupRecord } from '../../../domain/backups/backup';
import { withoutKept } from '../../../domain/backups/restore';
import type { ComposeChange } from '../../../domain/plan/postgres-major';
import type { Plan } from '../../../domain/plan/plan';
import { signatureSentence } from '../../../domain/signatures/signature';
import type { ImageAt, StepName, Update } from '../../../domain/update';
import { splitDetail } from '../../letter/clean';
import {
  listBlock,
  paragraph,
  section,
  type Block,
  type Fact,
  shellCommand,
  stepDuration,
  stepTitle,
} from '../../letter/letter';
import type { Rehearsal } from '../../../domain/rehearsal/rehearsal';
import { withoutTrailingSlashes } from '../../../domain/text/trailing-slashes';

/** What the mails of an offer are built from. */
export interface OfferNews {
  update: Update;
  plan: Plan | null;
  /** The signed address of the update's page; empty without one. */
  page: string;
  /** How many earlier notices about the same container this mail summarises, because of the limit per hour. */
  summarised?: number;
  /** Its newest rehearsal; null or left out: it was not rehearsed. */
  rehearsal?: Rehearsal | null;
  /** diun-pilot observes: nothing starts, and an approval is refused. */
  observes?: boolean;
}

/** What the mails of a verdict and of a soak are built from. */
export interface EndNews {
  update: Update;
  /** The backup taken before the update; null without one. */
  backup: BackupRecord | null;
  /** The signed address of the update's page; empty without one. */
  page: string;
}

export function nameOf(update: Update): string {
  return update.container ?? update.to.reference;
}

export function publicAddress(publicUrl: string, path: string): string {
  return `${withoutTrailingSlashes(publicUrl)}/${path}`;
}

/** Foot of a mail that is not about an update: a section of the operator page. */
export function operatorSection(publicUrl: string, id: string): { page: string; onOperatorPage: true } {
  return { page: publicAddress(publicUrl, `#${id}`), onOperatorPage: true };
}

/** Container, from and to, each version with tag and digest: the decision is about the digest. */
export function versions(update: Update, labels: VersionLabels): Block {
  return { type: 'facts', facts: [...imagesOf(update, labels), ...signatureOf(update)] };
}

/** The same, with the type of the update. */
export function plannedVersions({ update, plan }: Pick<OfferNews, 'update' | 'plan'>, labels: VersionLabels): Block {
  const type: Fact[] = plan === null ? [] : [{ label: 'Type of update', value: JUMPS[plan.jump] }];
  return { type: 'facts', facts: [...imagesOf(update, labels), ...type, ...signatureOf(update)] };
}

interface VersionLabels {
  from: string;
  to: string;
}

function imagesOf(update: Update, labels: VersionLabels): Fact[] {
  return [
    { label: update.kind === 'service' ? 'Service' : 'Container', value: nameWithPlace(update) },
    { label: labels.from, value: update.from === null ? 'unknown' : imageLines(update.from) },
    { label: labels.to, value: imageLines(update.to) },
  ];
}

function signatureOf({ signature }: Update): Fact[] {
  return signature ? [{ label: 'Signature', value: signatureSentence(signature) }] : [];
}

/** For offers that were announced too quickly for one mail each. */
export function summaryPassage({ update, summarised = 0 }: Pick<OfferNews, 'update' | 'summarised'>): Block[] {
  if (summarised === 0) return [];
  const earlier = `Too many versions for ${nameOf(update)} were announced within an hour to mail each one`;
  return [
    paragraph(
      `${earlier}. This mail also covers ${plural(summarised, 'earlier version')}. Only the version in this mail counts.`,
    ),
  ];
}

export function isOtherTag({ from, to }: Update): boolean {
  return from !== null && from.reference !== to.reference;
}

/** `git-gitea-1 (service gitea of project git)`. */
export function nameWithPlace(update: Update): string {
  // A service without a stack is its own place.
  const place = [
    update.service && update.service !== update.container && `service ${update.service}`,
    update.project && `${update.kind === 'service' ? 'stack' : 'project'} ${update.project}`,
  ];
  const known = place.filter(Boolean).join(' of ');
  return known === '' ? nameOf(update) : `${nameOf(update)} (${known})`;
}

function imageLines(image: ImageAt): string[] {
  return [image.reference, image.digest ?? 'digest unknown'];
}

export const JUMPS: Record<Plan['jump'], string> = {
  digest: 'same tag, rebuilt',
  patch: 'patch version',
  minor: 'minor version',
  major: 'major version',
  downgrade: 'to an older version',
  other: 'unknown: the tags cannot be compared as versions',
};

/** The plan in its own sentences, the same in page, log and mail. */
export function planPassage({ update, plan }: Pick<OfferNews, 'update' | 'plan'>, followUpHeading: string): Block[] {
  const followUp = plan?.followUp ?? update.followUp;
  return [
    ...changeFirst(plan?.newMajor?.change ?? null),
    ...(plan === null ? [] : plannedBackup(plan)),
    ...section('Steps, in this order', listBlock(plan?.course ?? [], true)),
    ...section('What can go wrong', listBlock(plan?.risks ?? [])),
    ...section('If it fails', plan === null ? null : paragraph(ifItFails(plan))),
    ...section(followUpHeading, followUp === null ? null : paragraph(followUp)),
    ...releaseNotes(update, plan),
  ];
}

/** Each line as it is written, to be copied. */
function changeFirst(change: ComposeChange | null): Block[] {
  if (!change?.add) return [];
  const lines = [`# ${change.add.section}: add`, change.add.line];
  return section(`Change in the compose file first (service ${change.service})`, { type: 'commands', lines });
}

function plannedBackup(plan: Plan): Block[] {
  const members = plan.kind === 'service' ? 'service of its stack' : 'container of its project';
  const nothing = paragraph(`Nothing: no ${members} has the label backup.kind.`);
  return section('What is backed up first', listBlock(plan.backup) ?? nothing);
}

function ifItFails({ kind, container, holdsData, restores, newMajor }: Plan): string {
  if (kind === 'service')
    return `If anything fails before the rollout, ${container} keeps running unchanged. If the rollout or the health check fails, Swarm rolls ${container} back to its previous spec, and its tasks are checked.`;
  if (newMajor !== undefined)
    return `If anything fails before the data directories change places, ${container} keeps running unchanged. After that, the data directory of PostgreSQL ${newMajor.from} is put back, and the unchanged old container is started again and checked. The containers that write to the data stay stopped until the databases are loaded and compared. What they write after that is kept if the update is rolled back.`;
  const data = restores
    ? ' If the old version is unhealthy because the new one changed the data, the backup of this update is restored automatically. No data is lost, because the containers that write to the data stay stopped until the new version is healthy. After that, a restore needs your decision.'
    : holdsData
      ? ' Changes that the new version made to the data can only be undone from the backup; the mail about the failure has the command.'
      : '';
  return `If anything fails before the swap, ${container} keeps running unchanged. If the new version is unhealthy after the swap, the unchanged old container is started again and checked.${data}`;
}

/** As Diun announced it, where diun-pilot knows no source of its own (`notesPassage`). */
function releaseNotes(update: Update, plan: Plan | null): Block[] {
  if (plan === null || plan.releaseNotes === null || (update.notes ?? null) !== null) return [];
  return [{ type: 'link', label: 'Release notes (from the image’s labels)', url: plan.releaseNotes }];
}

export function stepsPassage(update: Update): Block[] {
  const steps = update.steps.map((step) => ({
    title: stepTitle(step.name),
    result: step.status,
    duration: stepDuration(step),
    detail: step.detail === null ? null : detailOf(step.name, step.detail),
  }));
  return section('Steps', steps.length === 0 ? null : { type: 'steps', steps });
}

/** The head of the mail lists the data that a restore retained, with the commands that remove it. */
function detailOf(name: StepName, detail: string): string {
  const { sentence } = splitDetail(detail);
  return name === 'restore' ? withoutKept(sentence) : sentence;
}

export function backupPassage(backup: BackupRecord | null): Block[] {
  if (backup === null || backup.status !== 'succeeded') return [];
  return section('The backup from before the update', { type: 'facts', facts: backupFacts(backup) });
}

export function backupFacts(backup: BackupRecord): Fact[] {
  const size = backup.bytes === null ? [] : [formatBytes(backup.bytes)];
  const verified = backup.verifiedAt === null ? 'not verified' : `verified ${formatTime(backup.verifiedAt)}`;
  const facts: Fact[] = [
    { label: 'Backup', value: backup.id },
    { label: 'State', value: [...size, verified].join(', ') },
  ];
  if (backup.url !== null) facts.push({ label: 'Where', value: backup.url });
  return facts;
}

/** Why it ended: what happened, and what a machine printed about it. */
export function errorOf({ error, reason }: Update): ReturnType<typeof splitDetail> {
  return splitDetail(error?.message ?? reason);
}

/** State and log of the container. `more`: commands that follow. */
export function lookAtContainer(name: string, ...more: string[]): Block {
  return {
    type: 'commands',
    lines: [
      shellCommand('docker', 'ps', '-a', '--filter', `name=${name}`),
      shellCommand('docker', 'logs', '--tail', '100', name),
      ...more,
    ],
  };
}

/** The same of a Swarm service. */
export function lookAtService(name: string): Block {
  return {
    type: 'commands',
    lines: [
      shellCommand('docker', 'service', 'ps', '--no-trunc', name),
      shellCommand('docker', 'service', 'logs', '--tail', '100', name),
    ],
  };
}

/** Where the container is not known: the operator fills in its name. */
export const LOOK_AT_ANY: Block = { type: 'commands', lines: ['docker ps -a', 'docker logs --tail 100 NAME'] };

/** Where the service is not known. */
export const LOOK_AT_ANY_SERVICE: Block = {
  type: 'commands',
  lines: ['docker service ls', 'docker service ps --no-trunc NAME', 'docker service logs --tail 100 NAME'],
};

/** Requests this update on the host. */
export function requestCommand(update: Update): string {
  const image = isOtherTag(update) ? [update.to.reference] : [];
  return shellCommand('diun-pilot', 'update', nameOf(update), ...image);
}
