import { PilotError } from '../../domain/errors';
import type { BackupRecord } from '../../domain/backup';
import { awaySince, type Step, type StepName, type Update, type UpdateStatus } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { machineSaid, paragraph, section, type Block } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import { between, utc } from '../letter/words';
import { changedByOthers, isChangedByOthers } from './changed-by-others';
import type { FailureText } from './failure-text';
import { illAsBefore, isIllAsBefore } from './ill-as-before';
import { nameOf } from './passages';

const UNDOING: readonly StepName[] = ['rollback', 'rollback_health_check', 'restore', 'restore_health_check'];

type TakenBackup = Pick<BackupRecord, 'id' | 'quiesced' | 'status'> | null;

const TEXTS: Partial<Record<UpdateStatus, (update: Update, backup: TakenBackup, servedOn: boolean) => FailureText>> = {
  failed: nothingChanged,
  rolled_back: (update, backup, servedOn) => (servedOn ? neverStopped(update) : servesAgain(update, backup)),
  rollback_failed: needsAPerson,
};

/** `servedOn`: the old container was never stopped. Throws when the update has not failed. */
export function failureText(update: Update, backup: TakenBackup, servedOn = false): FailureText {
  const text = special(update) ?? TEXTS[update.status];
  if (text === undefined) {
    throw new PilotError('internal_error', `An update that is ${update.status} has not failed: no mail says so.`);
  }
  return text(update, backup, servedOn);
}

function special(update: Update): ((update: Update) => FailureText) | null {
  if (isChangedByOthers(update)) return changedByOthers;
  return isIllAsBefore(update) ? illAsBefore : null;
}

/** The step that ended the update, not one that undid it. */
export function failedStep(update: Update): Step | null {
  return update.steps.find((step) => step.status === 'failed' && !UNDOING.includes(step.name)) ?? null;
}

/** The error of a failed rollback tells of the old version (that is said first); what began it is with the step. */
export function causeOf(update: Update): string {
  const theirs = update.error?.code === 'changed_meanwhile';
  const ofTheNewVersion = update.status === 'rollback_failed' && !theirs ? failedStep(update)?.detail : null;
  return ofTheNewVersion ?? update.error?.message ?? update.reason;
}

function nothingChanged(update: Update, backup: TakenBackup): FailureText {
  const name = nameOf(update);
  const gone = update.error?.code === 'container_not_found';
  const runs = !gone && update.error?.code !== 'container_not_running';
  return {
    subject: 'update failed, nothing was changed',
    tone: 'attention',
    word: 'Failed, nothing changed',
    heading: `The update of ${name} failed before anything was changed`,
    opening: [paragraph(!runs ? whyNotBegun(name, gone) : runsOn(name, backup))],
    labels: { from: runs ? 'Still runs' : 'Ran before', to: 'Was to run' },
  };
}

function whyNotBegun(name: string, gone: boolean): string {
  return gone
    ? `There is no container ${name} any more, so the update was never begun. diun-pilot did not remove it.`
    : `${name} is as it was: it does not run, and diun-pilot did not stop it.`;
}

function runsOn(name: string, backup: TakenBackup): string {
  return backup?.quiesced === true
    ? `${name} runs its old version as before. What was stopped for the backup was started again, and serves. Nothing is urgent.`
    : `${name} runs its old version as before: the old container was never stopped. Nothing is urgent.`;
}

function servesAgain(update: Update, backup: TakenBackup): FailureText {
  const name = nameOf(update);
  return {
    subject: 'update failed, old version is serving again',
    tone: 'attention',
    word: 'Rolled back',
    heading: `${name} serves its old version again`,
    opening: [
      paragraph('The new version did not work, so the old container was started again, untouched. Nothing is urgent.'),
      paragraph(verifiedHow(update)),
      ...interruption(update, backup),
      ...restored(update),
    ],
    labels: { from: 'Runs again', to: 'Was to run' },
  };
}

/** A handover that failed while the old one still served. */
function neverStopped(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: 'update failed, old version served on',
    tone: 'attention',
    word: 'Rolled back',
    heading: `${name} serves its old version`,
    opening: [
      paragraph('The new version did not work beside the old one, and is removed. The old one was never stopped.'),
      paragraph(verifiedHow(update)),
      paragraph('Nothing is urgent. Until the new one was removed, it may have answered some of the requests.'),
    ],
    labels: { from: 'Still runs', to: 'Was to run' },
  };
}

function verifiedHow(update: Update): string {
  const check = lastCheck(update);
  const how = check?.detail ? splitDetail(check.detail).sentence : 'its health check succeeded';
  return `Verified after the ${check?.name === 'restore_health_check' ? 'restore' : 'rollback'}: ${how}`;
}

/** The one that saw the old container healthy: the first, or that after the data was restored. */
function lastCheck(update: Update): Step | undefined {
  const checks: readonly StepName[] = ['rollback_health_check', 'restore_health_check'];
  return update.steps.find((step) => checks.includes(step.name) && step.status === 'succeeded');
}

function interruption(update: Update, backup: TakenBackup): Block[] {
  const stopped = awaySince(update, backup);
  const verified = lastCheck(update)?.finishedAt;
  const took = between(stopped, verified);
  if (!stopped || !verified || took === null) return [];
  return [paragraph(`It may not have answered between ${utc(stopped)} and ${utc(verified)} (${took} at most).`)];
}

function restored(update: Update): Block[] {
  const restore = update.steps.find((step) => step.name === 'restore' && step.status === 'succeeded');
  if (restore === undefined) return [];
  const text =
    'The new version had changed the data, and the old one refused it: so the data was restored from the backup of this update, after which all that write to it were stopped.';
  const { sentence, output } = splitDetail(restore.detail ?? '');
  return [
    { type: 'important', text },
    ...(sentence === '' ? [] : [paragraph(sentence)]),
    ...(output.length === 0 ? [] : [{ type: 'commands' as const, lines: output }]),
  ];
}

function needsAPerson(update: Update, backup: TakenBackup): FailureText {
  const name = nameOf(update);
  if (!update.steps.some((step) => step.name === 'recreate')) return stoppedForTheBackup(update);
  return {
    subject: 'DOWN, update and rollback failed, act now',
    tone: 'alarm',
    word: 'Down, act now',
    heading: `${name} is not serving: neither the new nor the old version works`,
    opening: [
      { type: 'important', text: `Nothing mends this by itself: ${name} needs a person now.` },
      ...rollbackTrouble(update),
      ...firstAid(update),
      ...restoreByHand(backup),
    ],
    labels: { from: 'Ran before', to: 'Was to run' },
  };
}

/** Nothing was replaced, but somebody who was stopped for the backup does not come back. */
function stoppedForTheBackup(update: Update): FailureText {
  const { sentence, output } = splitDetail(update.error?.message ?? update.reason);
  return {
    subject: 'DOWN, not all that was stopped for the backup serves again, act now',
    tone: 'alarm',
    word: 'Down, act now',
    heading: `The update of ${nameOf(update)} was given up, and something does not serve again`,
    opening: [
      { type: 'important', text: 'Nothing was changed, but nothing mends this by itself: it needs a person now.' },
      paragraph(sentence),
      ...machineSaid(output),
      ...section('Look first', { type: 'commands', lines: ['docker ps -a', 'docker logs --tail 100 NAME'] }),
      ...section('Then bring it back', { type: 'commands', lines: ['docker start NAME'] }),
    ],
    labels: { from: 'Ran before', to: 'Was to run' },
  };
}

/** What the old version said when it was to serve again; empty when it was not asked. */
export function rollbackTrouble(update: Update): Block[] {
  const step = update.steps.findLast((each) => each.status === 'failed' && UNDOING.includes(each.name));
  if (!step?.detail) return [];
  const { sentence, output } = splitDetail(step.detail);
  return [paragraph(`What the old version did: ${sentence}`), ...machineSaid(output)];
}

/** In the order in which one looks at night: what is there, what it says, start it, pin the old image. */
function firstAid(update: Update): Block[] {
  const name = nameOf(update);
  const pinned = pinnedImage(update);
  return [
    ...section('Look first', {
      type: 'commands',
      lines: [
        shellCommand('docker', 'ps', '-a', '--filter', `name=${name}`),
        shellCommand('docker', 'logs', '--tail', '100', name),
        shellCommand('docker', 'inspect', '--format', '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}', name),
      ],
    }),
    paragraph(`A container named ${name}.diun-pilot-… is one that this update has set aside.`),
    ...section('Then bring it back', { type: 'commands', lines: [shellCommand('docker', 'start', name)] }),
    ...(pinned === null || update.service === null ? [] : byCompose(pinned, update.service)),
    {
      type: 'list',
      items: [
        'Do not remove containers or volumes before it serves again: they hold the old version and its data.',
        'If the data is damaged, the backup named below (if one is) is from before the update.',
      ],
    },
  ];
}

/** Nothing is restored over data by itself that somebody may have written to since. */
function restoreByHand(backup: TakenBackup): Block[] {
  if (backup?.status !== 'succeeded') return [];
  return section(
    'If its log says that the data is for a newer version',
    paragraph(
      'Put the data of the backup from before the update back. What is there now is kept beside it, but what was written since the backup is then only in that.',
    ),
    { type: 'commands', lines: [shellCommand('diun-pilot', 'restore', backup.id)] },
  );
}

function byCompose(pinned: string, service: string): Block[] {
  return [
    paragraph('If it does not start, name the old image by its digest in the compose file, and let Compose create it:'),
    { type: 'commands', lines: [`image: ${pinned}`] },
    { type: 'commands', lines: [shellCommand('docker', 'compose', 'up', '-d', service)] },
  ];
}

/** `nginx:1.27@sha256:…`: what ran before, whatever its tag names by now. */
function pinnedImage({ from }: Update): string | null {
  if (from === null || from.digest === null) return null;
  return from.reference.includes('@') ? from.reference : `${from.reference}@${from.digest}`;
}
