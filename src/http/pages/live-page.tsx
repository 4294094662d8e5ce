import { formatDuration, formatTime, codeAsText } from '../../domain/format';
import type { JSX } from 'preact';
import type { BackupRecord } from '../../domain/backups/backup';
import type { Rehearsal } from '../../domain/rehearsal/rehearsal';
import {
  isOpen,
  isUnattended,
  type Step,
  STEP_NAMES,
  type StepName,
  type Update,
  type UpdateStatus,
} from '../../domain/update';
import { logLines, oneLine, splitDetail } from '../../notifications/letter/clean';
import { type Block, stepTitle } from '../../notifications/letter/letter';
import { dataChangeBlocks } from '../../notifications/mails/data-changed';
import { causeOf, failureText } from '../../notifications/mails/failure';
import type { Seen } from '../../notifications/mails/failure-text';
import { backupPassage, nameOf, versions } from '../../notifications/mails/passages/passages';
import { Blocks, typeset } from './blocks';
import { RehearsalOf, type RehearseButton } from './decision/rehearsal';
import { page } from './layout';
import { toneOf } from './words';

export interface Followed extends Seen {
  update: Update;
  /** Taken before the update; null while there is none. */
  backup: BackupRecord | null;
  /** The last one; only that of an update that has not started is shown. */
  rehearsal?: Rehearsal | null;
  again?: RehearseButton;
  now: Date;
  /** The reader has the password; behind an approval link there are no other pages. */
  operator: boolean;
  /** Address of the operator page; null or left out: this reader cannot reach it. */
  home?: string | null;
}

/** Shown before they start, as a preview. The other steps only run after a failure. */
const ALWAYS: readonly StepName[] = ['backup', 'pull', 'preflight', 'recreate', 'rollout', 'health_check', 'cleanup'];
const ONLY_OF: Partial<Record<StepName, Update['kind']>> = { recreate: 'container', rollout: 'service' };

/** The page of one update. The script (assets/live.js) finds its elements by id and fills them from the same JSON. */
export function livePage(followed: Followed): string {
  const { update, backup, now, operator, home = null } = followed;
  const open = isOpen(update.status);
  return page({
    title: `${codeAsText(update.status)}: update of ${nameOf(update)}`,
    live: open,
    header: home === null ? null : <WayHome home={home} />,
    children: (
      <>
        <p id="connection" class="notice attention" role="status" hidden />
        <Status update={update} />
        {operator && update.status === 'awaiting_approval' ? <HowToDecide home={home} /> : null}
        {open && !operator ? (
          <p id="going">
            You can close this page: the update continues, and a mail reports{' '}
            {isUnattended(update) ? 'a failure' : 'the result'}.
          </p>
        ) : null}
        <p id="ended" class="alone" hidden>
          <a href="?">Load the full report</a>
        </p>
        {open ? null : <FollowUp update={update} />}
        <Failure {...followed} />
        {update.status === 'succeeded' ? <Blocks blocks={dataChangeBlocks(followed.dataChange)} /> : null}
        <Blocks blocks={[versions(update, labelsOf(followed)), ...backupPassage(backup)]} />
        <RehearsalOf {...{ update, now, rehearsal: followed.rehearsal, again: followed.again ?? null }} />
        <Steps update={update} now={now} />
        {open ? <FollowUp update={update} /> : null}
      </>
    ),
  });
}

function WayHome({ home }: { home: string }): JSX.Element {
  return (
    <nav aria-label="Pages">
      <a href={home}>All containers and updates</a>
    </nav>
  );
}

function Status({ update }: { update: Update }): JSX.Element {
  return (
    <div role="status">
      <p id="status" class={`badge ${toneOf(update.status)}`}>
        {codeAsText(update.status)}
      </p>
      <h1>Update of {oneLine(nameOf(update))}</h1>
      <p id="reason">{oneLine(update.reason)}</p>
    </div>
  );
}

function HowToDecide({ home }: { home: string | null }): JSX.Element {
  if (home === null) return <p>Approve or decline it with the link in its mail, or on the operator page.</p>;
  return (
    <p class="alone">
      <a href={`${home}#waiting`}>Approve or decline it</a>
    </p>
  );
}

/** While the update is open, the script does not update these labels: they must stay true. */
function labelsOf({ update, backup, ...seen }: Ended): { from: string; to: string } {
  const { status } = update;
  if (isOpen(status)) return { from: 'From', to: 'To' };
  if (status === 'succeeded') return { from: 'Previous version', to: 'Current version' };
  if (hasFailed(status)) return failureText(update, backup, seen).labels;
  return { from: 'Version at that time', to: status === 'ignored' ? 'Announced version' : 'Offered version' };
}

/** After a failed update there is no follow-up: the line in the compose file must stay as it is. */
function FollowUp({ update: { followUp, status } }: { update: Update }): JSX.Element {
  const heading = isOpen(status) ? 'What to do afterwards' : 'What is left to do';
  return (
    <div
      id="followup"
      class="notice attention"
      hidden={followUp === null || !(isOpen(status) || status === 'succeeded')}
    >
      <h2>{heading}</h2>
      <p>{typeset(followUp ?? '')}</p>
    </div>
  );
}

/** For a finished update: the text of its mail, in the same order: the current state, then the cause. */
type Ended = Pick<Followed, 'update' | 'backup' | keyof Seen>;

function Failure(ended: Ended): JSX.Element {
  const { update } = ended;
  const { sentence, output } = splitDetail(update.error === null ? '' : causeOf(update));
  return (
    <>
      <Blocks blocks={aftermath(ended)} />
      <div
        id="error"
        class={`notice ${update.status === 'rollback_failed' ? 'alarm' : 'attention'}`}
        hidden={update.error === null}
      >
        <h2>What went wrong</h2>
        <p>{oneLine(sentence)}</p>
        <Output lines={output} />
      </div>
    </>
  );
}

function aftermath({ update, backup, ...seen }: Ended): Block[] {
  return hasFailed(update.status) ? failureText(update, backup, seen).opening : [];
}

function hasFailed(status: UpdateStatus): boolean {
  return ['failed', 'rolled_back', 'rollback_failed'].includes(status);
}

/** Empty for an update that never ran. */
function Steps({ update, now }: { update: Update; now: Date }): JSX.Element | null {
  const open = isOpen(update.status);
  if (!open && update.steps.length === 0) return null;
  const started = new Map(update.steps.map((step) => [step.name, step]));
  return (
    <>
      <h2>Steps</h2>
      <ol id="steps" class="steps">
        {STEP_NAMES.map((name) => (
          <StepView
            name={name}
            step={started.get(name) ?? null}
            open={open && (ONLY_OF[name] ?? update.kind) === update.kind}
            now={now}
          />
        ))}
      </ol>
    </>
  );
}

interface StepProps {
  name: StepName;
  step: Step | null;
  open: boolean;
  now: Date;
}

function StepView({ name, step, open, now }: StepProps): JSX.Element {
  const { sentence, output } = splitDetail(step?.detail ?? '');
  const shown = step !== null || (open && ALWAYS.includes(name));
  return (
    <li id={`step-${name}`} class={step?.status ?? 'pending'} hidden={!shown}>
      <h3>
        {stepTitle(name)} <span class="state">{step === null ? 'Not started' : codeAsText(step.status)}</span>
      </h3>
      <p class="took">{step === null ? '' : took(step, now)}</p>
      <p class="detail">{typeset(sentence)}</p>
      <details hidden={output.length === 0} open={open}>
        <summary>Output</summary>
        <Output lines={output} />
      </details>
    </li>
  );
}

function Output({ lines }: { lines: string[] }): JSX.Element {
  return (
    <pre class="output" tabindex={0} hidden={lines.length === 0}>
      {logLines(lines).join('\n')}
    </pre>
  );
}

function took({ startedAt, finishedAt }: Step, now: Date): string {
  const ms = (finishedAt === null ? now.getTime() : Date.parse(finishedAt)) - Date.parse(startedAt);
  return finishedAt === null
    ? `for ${formatDuration(ms)}, since ${formatTime(startedAt)}`
    : `${formatDuration(ms)}, started ${formatTime(startedAt)}`;
}
