import { PilotError } from '../../domain/errors';
import { type NewData, newDataSentence } from '../../domain/journal';
import { restoreIn, type Step, type Update, type UpdateStatus } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { type Block, important, machineSaid, paragraph, section, shellCommand } from '../letter/letter';
import { databaseLeft, dataChanged, isDataChanged, dataChangeBlocks } from './data-changed';
import {
  failedOnWayBack,
  type FailureText,
  isGone,
  noLongerThere,
  type Seen,
  type TakenBackup,
  UNDOING,
} from './failure-text';
import { errorOf, lookAtContainer, nameOf } from './passages/passages';
import { neverStopped, restored, runsAgain } from './rolled-back';
import { serviceNeedsAction, serviceRolledBack, serviceUntouched } from './rollout-failed';
import {
  changedByOthers,
  isChangedByOthers,
  isNeighbourDown,
  isUnhealthyAsBefore,
  isWrongSignature,
  neighbourDown,
  unhealthyAsBefore,
  wrongSignature,
} from './special-failures';

type Text = (update: Update, backup: TakenBackup, seen: Seen) => FailureText;

const TEXTS: Record<Update['kind'], Partial<Record<UpdateStatus, Text>>> = {
  container: {
    failed: nothingChanged,
    rolled_back: (update, _, seen) => (seen.servedOn ? neverStopped(update, seen) : runsAgain(update, seen)),
    rollback_failed: manualActionRequired,
  },
  service: {
    failed: nothingChanged,
    rolled_back: serviceRolledBack,
    rollback_failed: serviceNeedsAction,
  },
};

/** Throws when the update has not failed. */
export function failureText(update: Update, backup: TakenBackup, seen: Seen): FailureText {
  const text = special(update, seen) ?? TEXTS[update.kind][update.status];
  if (text === undefined) {
    throw new PilotError(
      'internal_error',
      `An update that is ${update.status} has not failed, so there is no mail about its failure.`,
    );
  }
  const said = text(update, backup, seen);
  const ofItsData = [
    // The mail about a service that was rolled back has it in its own place.
    ...(text === serviceRolledBack ? [] : restored(update, seen)),
    ...(seen.newData ? newDataPassage(update, seen.newData) : []),
  ];
  return { ...said, opening: [...said.opening, ...ofItsData] };
}

function special(update: Update, { replaced }: Seen): Text | null {
  if (isWrongSignature(update)) return wrongSignature;
  if (isDataChanged(update) && restoreIn(update) !== undefined) return databaseLeft;
  if (isDataChanged(update)) return (_, backup, { dataChange }) => dataChanged(update, backup, dataChange);
  if (isUnhealthyAsBefore(update)) return unhealthyAsBefore;
  if (update.kind === 'service') return null;
  if (isChangedByOthers(update)) return changedByOthers;
  return replaced && isNeighbourDown(update) ? neighbourDown : null;
}

/** The step that ended the update, not one that undid it. */
export function failedStep(update: Update): Step | null {
  return update.steps.find((step) => step.status === 'failed' && !UNDOING.includes(step.name)) ?? null;
}

/** The error of a failed rollback describes the old version; the cause of the rollback is in the failed step. */
export function causeOf(update: Update): string {
  const theirs = update.error?.code === 'changed_meanwhile';
  const ofTheNewVersion = update.status === 'rollback_failed' && !theirs ? failedStep(update)?.detail : null;
  return ofTheNewVersion ?? update.error?.message ?? update.reason;
}

function nothingChanged(update: Update, _backup: TakenBackup, { stopped }: Seen): FailureText {
  if (isGone(update)) return noLongerThere(update);
  const isService = update.kind === 'service';
  const name = nameOf(update);
  const runs = isService || update.error?.code !== 'container_not_running';
  const whatRuns = isService ? serviceUntouched(update, stopped) : runs ? runsOn(name, stopped) : notRunning(name);
  return {
    subject: 'update failed, nothing was changed – nothing urgent',
    tone: 'attention',
    word: 'Failed, nothing changed',
    heading: `The update of ${isService ? 'the service ' : ''}${name} failed before anything was changed`,
    opening: [paragraph(whatRuns)],
    labels: { from: runs ? 'Still running' : 'Previous version', to: 'Planned version' },
  };
}

function notRunning(name: string): string {
  return `${name} is unchanged: it is not running, and diun-pilot did not stop it.`;
}

function runsOn(name: string, stopped: readonly string[]): string {
  return stopped.length === 0
    ? `${name} runs its old version as before: the old container was never stopped. Nothing is urgent.`
    : `${name} runs its old version as before. Stopped for the backup, and running again: ${stopped.join(', ')}. Each one that was healthy before is healthy again. Nothing is urgent.`;
}

function manualActionRequired(
  update: Update,
  backup: TakenBackup,
  { dataChange, stopped, replaced }: Seen,
): FailureText {
  const name = nameOf(update);
  if (!replaced) return stoppedForTheBackup(update, stopped);
  return {
    subject: 'DOWN, update and rollback failed – manual action required',
    tone: 'alarm',
    word: 'Down, manual action required',
    heading: `${name} is down: neither the new nor the old version works`,
    opening: [
      important(`Manual action required: diun-pilot cannot repair ${name} automatically. The commands are below.`),
      ...rollbackTrouble(update),
      ...dataChangeBlocks(dataChange),
      ...firstAid(update),
      ...restoreByHand(update, backup),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}

/** Nothing was replaced, but a container that was stopped for the backup does not restart. */
function stoppedForTheBackup(update: Update, stopped: readonly string[]): FailureText {
  const { sentence, output } = errorOf(update);
  return {
    subject: 'DOWN, a container stopped for the backup did not restart – manual action required',
    tone: 'alarm',
    word: 'Down, manual action required',
    heading: `The update of ${nameOf(update)} was aborted, and a container that was stopped for its backup is down`,
    opening: [
      important(
        'Manual action required: a container that was stopped for the backup is not running or not healthy. No container was replaced.',
      ),
      paragraph(sentence),
      ...machineSaid(output),
      ...section('Look at it first', {
        type: 'commands',
        lines: ['docker ps -a', ...stopped.map((name) => shellCommand('docker', 'logs', '--tail', '100', name))],
      }),
      ...section('Then bring it back', { type: 'commands', lines: [shellCommand('docker', 'start', ...stopped)] }),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}

/** Why the old version did not become healthy after the rollback; empty when it was not checked. */
export function rollbackTrouble(update: Update): Block[] {
  const step = failedOnWayBack(update);
  if (!step?.detail) return [];
  const { sentence, output } = splitDetail(step.detail);
  return [paragraph(`Why the old version does not work: ${sentence}`), ...machineSaid(output)];
}

/** In the order of an incident: state, log, start, pin the old image. */
function firstAid(update: Update): Block[] {
  const name = nameOf(update);
  const pinned = pinnedImage(update);
  return [
    ...section(
      'Look at it first',
      lookAtContainer(
        name,
        shellCommand('docker', 'inspect', '--format', '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}', name),
      ),
    ),
    paragraph(`If a container named ${name}.diun-pilot-… exists, this update renamed it.`),
    ...section('Then bring it back', { type: 'commands', lines: [shellCommand('docker', 'start', name)] }),
    ...(pinned === null || update.service === null ? [] : byCompose(pinned, update.service)),
    {
      type: 'list',
      items: [
        `Do not remove any container or volume until ${name} is running again: they hold the old version and its data.`,
        'If the data is damaged, restore the backup from before the update. If there is one, it is listed below.',
      ],
    },
  ];
}

/** Data that may have been written since the backup is never overwritten automatically. */
function restoreByHand(update: Update, backup: TakenBackup): Block[] {
  if (backup?.status !== 'succeeded' || backup.updateId !== update.id || restoreIn(update) !== undefined) return [];
  return section(
    `If the log of ${nameOf(update)} reports that its data is for a newer version`,
    paragraph(
      'Restore the backup from before the update. The current data is kept in a separate copy; changes made since the backup are then only there.',
    ),
    { type: 'commands', lines: [shellCommand('diun-pilot', 'restore', backup.id)] },
  );
}

function byCompose(pinned: string, service: string): Block[] {
  return [
    paragraph('If it does not start, pin the old image by its digest in the compose file and re-create the container:'),
    { type: 'commands', lines: [`image: ${pinned}`] },
    { type: 'commands', lines: [shellCommand('docker', 'compose', 'up', '-d', service)] },
  ];
}

/** `nginx:1.27@sha256:…`: what ran before, whatever its tag names by now. */
function pinnedImage({ from }: Update): string | null {
  if (from === null || from.digest === null) return null;
  return from.reference.includes('@') ? from.reference : `${from.reference}@${from.digest}`;
}

/** Applications may have written to the new major before it was rolled back. */
function newDataPassage(update: Update, newData: NewData): Block[] {
  const { container, path, to } = newData;
  const image = `${update.to.reference}${update.to.digest === null ? '' : `@${update.to.digest}`}`;
  const server = `${container}.postgres-${to}`;
  const run = ['docker', 'run', '-d', '--name', server, '--network', 'none', '--volumes-from', container];
  return [
    important(`Decision required: ${newDataSentence(newData)}`),
    ...section(
      'How to read the data written since the load',
      paragraph(
        `The first command starts PostgreSQL ${to} on that data directory, without a network. Read what you need with psql or pg_dump, then remove the container.`,
      ),
      {
        type: 'commands',
        lines: [
          shellCommand(...run, '-e', `PGDATA=${path}`, image),
          shellCommand('docker', 'exec', '-it', server, 'psql', '-U', 'USER', 'DATABASE'),
          shellCommand('docker', 'rm', '-f', '-v', server),
        ],
      },
    ),
  ];
}
