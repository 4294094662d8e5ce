import type { BackupRecord } from '../../domain/backup';
import type { Plan } from '../../domain/plan/plan';
import type { ImageAt, StepName, Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { list, paragraph, section, type Block, type Fact } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import { bytes, stepDuration, stepTitle, utc } from '../letter/words';

/** What every mail about an update is made from. */
export interface UpdateNews {
  update: Update;
  plan: Plan | null;
  /** The backup taken before the update; null: none was. */
  backup: BackupRecord | null;
  /** The signed address of the update's page; empty: there is no link to follow. */
  page: string;
  /** How many earlier notices about the same container this one stands for, since too many came within an hour. */
  summarised?: number;
}

export function nameOf(update: Update): string {
  return update.container ?? update.to.reference;
}

export function route(publicUrl: string, path: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/${path}`;
}

/** Foot of a mail that is about no update: a section of the operator page. */
export function operatorSection(publicUrl: string, id: string): { page: string; onOperatorPage: true } {
  return { page: route(publicUrl, `#${id}`), onOperatorPage: true };
}

/** Container, from and to, each version with tag and digest: the digest is what is decided about. */
export function versions({ update, plan }: UpdateNews, labels: { from: string; to: string }): Block {
  const facts: Fact[] = [
    { label: 'Container', value: placeOf(update) },
    { label: labels.from, value: update.from === null ? 'unknown' : imageLines(update.from) },
    { label: labels.to, value: imageLines(update.to) },
  ];
  if (plan !== null) facts.push({ label: 'Jump', value: JUMPS[plan.jump] });
  return { type: 'facts', facts };
}

/** Of offers that came too fast for a mail each. */
export function summaryPassage({ update, summarised = 0 }: UpdateNews): Block[] {
  if (summarised === 0) return [];
  const earlier = `Too many versions for ${nameOf(update)} were announced within an hour for a mail each`;
  return [paragraph(`${earlier}: this one stands for ${summarised} more. Only the version in this mail counts.`)];
}

export function isOtherTag({ from, to }: Update): boolean {
  return from !== null && from.reference !== to.reference;
}

function placeOf(update: Update): string {
  const place = [update.service && `service ${update.service}`, update.project && `project ${update.project}`];
  const known = place.filter(Boolean).join(' of ');
  return known === '' ? nameOf(update) : `${nameOf(update)} (${known})`;
}

function imageLines(image: ImageAt): string[] {
  return [image.reference, image.digest ?? 'digest unknown'];
}

const JUMPS: Record<Plan['jump'], string> = {
  digest: 'the same tag, built anew',
  patch: 'patch version',
  minor: 'minor version',
  major: 'major version',
  downgrade: 'to an older version',
  other: 'unknown: the tags are no versions that can be compared',
};

/** The plan in its own sentences: page, log and mail say the same. */
export function planPassage({ update, plan }: UpdateNews, followUpHeading: string): Block[] {
  const followUp = plan?.followUp ?? update.followUp;
  return [
    ...(plan === null ? [] : plannedBackup(plan)),
    ...section('What happens, in this order', list(plan?.course ?? [], true)),
    ...section('What can go wrong', list(plan?.risks ?? [])),
    ...section('If it fails', plan === null ? null : paragraph(ifItFails(plan))),
    ...section(followUpHeading, followUp === null ? null : paragraph(followUp)),
    ...releaseNotes(plan),
  ];
}

function plannedBackup(plan: Plan): Block[] {
  const nothing = paragraph('Nothing: no container of its project carries the label backup.kind.');
  return section('What is backed up first', list(plan.backup) ?? nothing);
}

function ifItFails({ container, holdsData, restores }: Plan): string {
  const data = restores
    ? ' If it does not, since the new version has changed the data, the backup of this very update is put back by itself: all that write to the data are stopped for it, so that nothing is lost.'
    : holdsData
      ? ' What the new version has done to the data by then can only be undone from the backup: the mail tells how.'
      : '';
  return `If anything goes wrong before the swap, ${container} goes on as it was. If the new version is not healthy after it, the same old container serves again, and is checked.${data} Either way a mail says truthfully which it was.`;
}

function releaseNotes(plan: Plan | null): Block[] {
  if (plan === null || plan.releaseNotes === null) return [];
  return [{ type: 'link', label: 'Release notes, as the maker of the image names them', url: plan.releaseNotes }];
}

export function stepsPassage(update: Update): Block[] {
  const steps = update.steps.map((step) => ({
    title: stepTitle(step.name),
    result: step.status,
    duration: stepDuration(step),
    detail: step.detail === null ? null : detailOf(step.name, step.detail),
  }));
  return section('What was done', steps.length === 0 ? null : { type: 'steps', steps });
}

/** What a restore has set aside is told at the head of the mail, with the commands that remove it. */
function detailOf(name: StepName, detail: string): string {
  const { sentence } = splitDetail(detail);
  return name === 'restore' ? sentence.replace(/; what that left is kept: .*$/, '.') : sentence;
}

export function backupPassage({ backup }: UpdateNews): Block[] {
  if (backup === null || backup.status !== 'succeeded') return [];
  return section('The backup from before the update', { type: 'facts', facts: backupFacts(backup) });
}

export function backupFacts(backup: BackupRecord): Fact[] {
  const size = backup.bytes === null ? [] : [bytes(backup.bytes)];
  const verified = backup.verifiedAt === null ? 'not verified' : `verified ${utc(backup.verifiedAt)}`;
  const facts: Fact[] = [
    { label: 'Backup', value: backup.id },
    { label: 'State', value: [...size, verified].join(', ') },
  ];
  if (backup.url !== null) facts.push({ label: 'Where', value: backup.url });
  return facts;
}

/** How to start this very update by hand. */
export function startCommands({ update }: Pick<UpdateNews, 'update'>): Block[] {
  const image = isOtherTag(update) ? [update.to.reference] : [];
  return [{ type: 'commands', lines: [shellCommand('diun-pilot', 'update', nameOf(update), ...image)] }];
}
