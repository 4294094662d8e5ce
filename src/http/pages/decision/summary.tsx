import type { JSX } from 'preact';
import type { Surroundings } from '../../../domain/approval';
import { diskInShort } from '../../../domain/disk/df';
import { capitalised, formatBytes, formatDuration, plural, shortDigest } from '../../../domain/format';
import { splitReference } from '../../../domain/images/image-reference';
import { FLAG_WORDS, type NotesSummary } from '../../../domain/notes/release-notes';
import type { Plan } from '../../../domain/plan/plan';
import { plannedDowntime } from '../../../domain/plan/plan-risks';
import { signatureSentence } from '../../../domain/signatures/signature';
import type { ImageAt, Update } from '../../../domain/update';
import { oneLine } from '../../../notifications/letter/clean';
import { JUMPS } from '../../../notifications/mails/passages/passages';
import { typeset } from '../blocks';
import { ago } from '../words';
import { mayRehearseAgain, rehearsalInShort } from './rehearsal';

interface Props extends Considered {
  linked?: boolean;
  /** Requests another rehearsal: shown next to the verdict of the last one. */
  again?: JSX.Element;
}

/**
 * What an operator needs to decide, before the buttons: from and to, the risk, the downtime, the backup. `linked`: the
 * details are on the same page.
 */
export function Summary({ linked = false, again, ...considered }: Props): JSX.Element {
  const { plan } = considered;
  return (
    <div class="summary">
      <FromTo from={plan.from} to={plan.to} what={whatOf(plan)} />
      {(plan.warnings ?? []).map((warning) => (
        <p class="important">{typeset(warning)}</p>
      ))}
      <dl>
        {summaryRows(considered).map(({ term, text, more }) => (
          <div>
            <dt>{term}</dt>
            <dd>
              {typeset(text)}
              {more === undefined || !linked ? null : (
                <>
                  {' '}
                  <a href={more.href}>{more.text}</a>
                </>
              )}
              {term === REHEARSAL && mayRehearseAgain(considered.update, considered.surroundings.rehearsal)
                ? again
                : null}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** ` · project git · patch version` */
function whatOf({ project, jump }: Plan): string {
  return [...(project === null ? [] : [`project ${oneLine(project)}`]), JUMPS[jump]]
    .map((each) => ` · ${each}`)
    .join('');
}

/** The tags large; the digests in short, since the decision is about them. A tag that stays is shown once. */
function FromTo({ from, to, what }: { from: ImageAt; to: ImageAt; what: string }): JSX.Element {
  const [old, next] = [splitReference(from.reference), splitReference(to.reference)];
  const moves = from.reference !== to.reference;
  return (
    <div class="from-to">
      <p class="small">
        {oneLine(next.name)}
        {what}
      </p>
      <p class="versions">
        {moves ? (
          <>
            {oneLine(old.name === next.name ? nameOf(from.reference) : from.reference)} <To />{' '}
          </>
        ) : null}
        <strong>{oneLine(nameOf(to.reference))}</strong>
      </p>
      <p class="digests">
        {from.digest === null ? 'unknown' : oneLine(shortDigest(from.digest))} <To /> {oneLine(shortDigest(to.digest))}
      </p>
    </div>
  );
}

/** The tag, or what stands in its place. */
function nameOf(reference: string): string {
  const { tag, digest } = splitReference(reference);
  return tag ?? (digest === null ? 'latest' : shortDigest(digest));
}

function To(): JSX.Element {
  return (
    <>
      <span aria-hidden="true">→</span>
      <span class="unseen">to</span>
    </>
  );
}

/** An offer, and what is known of the container from earlier. */
export interface Considered {
  update: Update;
  plan: Plan;
  surroundings: Surroundings;
  now: Date;
}

/** One fact that the operator weighs, in one or two sentences. */
export interface SummaryRow {
  term: string;
  text: string;
  /** Where on this page the details are. */
  more?: { href: `#${string}`; text: string };
}

const REHEARSAL = 'Rehearsal';

/**
 * What an operator weighs before anything else, in this order. A new kind of fact adds one row
 * here; its details are one of the folds below the buttons.
 */
function summaryRows(considered: Considered): SummaryRow[] {
  return [
    { term: 'Risk', text: riskInShort(considered.plan) },
    { term: 'Downtime', text: downtimeInShort(considered) },
    { term: 'Backup', text: backupInShort(considered) },
    ...diskRow(considered),
    ...signatureRow(considered),
    ...rehearsalRow(considered),
    ...notesRow(considered),
  ];
}

const RISK_OF_JUMP: Record<Plan['jump'], string> = {
  digest: '',
  patch: '',
  minor: '',
  major: 'A major version may drop or change what you rely on. ',
  downgrade: 'An older version may not understand newer data. ',
  other: 'The size of this change is not known. ',
};

function riskInShort({ jump, holdsData, restores, backup, newMajor }: Plan): string {
  if (newMajor !== undefined)
    return `Every database is loaded into a new data directory of PostgreSQL ${newMajor.to}. If anything fails or differs, the data directory of PostgreSQL ${newMajor.from} is put back.`;
  return RISK_OF_JUMP[jump] + riskOfData(holdsData, restores, backup.length > 0);
}

function riskOfData(holdsData: boolean, restores: boolean, backedUp: boolean): string {
  if (restores) {
    return 'The new version can change the data. If needed, a rollback restores the backup.';
  }
  if (holdsData) return 'The new version can change the data. Only a restore of the backup undoes that.';
  return backedUp
    ? 'Not in the backup: no label backup.kind. A rollback restores the old image, but no data.'
    : 'Nothing is backed up. A rollback restores the old image, but no data.';
}

function downtimeInShort({ plan, surroundings: { usualDowntimeSeconds: seconds } }: Considered): string {
  if (seconds !== null) {
    return `${seconds < 1 ? 'Less than a second' : `About ${formatDuration(seconds * 1000)}`}, as in past updates.`;
  }
  const planned = plannedDowntime(plan);
  return planned === null ? 'Not measured yet.' : `Not measured yet: ${planned}`;
}

function backupInShort({ plan: { kind, backup }, surroundings: { lastBackup }, now }: Considered): string {
  const whose = kind === 'service' ? 'service of its stack' : 'container of its project';
  if (backup.length === 0) return `None: no ${whose} has the label backup.kind.`;
  const first = 'Taken and read back first.';
  if (lastBackup === null) return `${first} It will be the first one.`;
  const size = lastBackup.bytes === null ? '' : `${formatBytes(lastBackup.bytes)}, `;
  return `${first} The last one: ${size}${ago(lastBackup.finishedAt ?? lastBackup.createdAt, now)}.`;
}

/** Nothing while there is room. How to make room is in the whole plan: the buttons stay in the first screen of a phone. */
function diskRow({ surroundings: { disk } }: Considered): SummaryRow[] {
  return typeof disk === 'number' ? [{ term: 'Disk', text: capitalised(diskInShort(disk)) }] : [];
}

/** Nothing where none was requested. */
function rehearsalRow({ update, surroundings: { rehearsal }, now }: Considered): SummaryRow[] {
  return rehearsal ? [{ term: REHEARSAL, text: rehearsalInShort(rehearsal, update.to.digest, now) }] : [];
}

/** Nothing where none is required. */
function signatureRow({ update: { signature } }: Considered): SummaryRow[] {
  return signature ? [{ term: 'Signature', text: signatureSentence(signature) }] : [];
}

/** Where only a link to them is known, it stands below. */
function notesRow({ update: { notes = null } }: Considered): SummaryRow[] {
  if (notes === null || (notes.versions.length === 0 && notes.problem === null)) return [];
  return [{ term: 'Notes', text: notesInShort(notes), more: { href: '#release-notes', text: 'Read them' } }];
}

function notesInShort({ versions, flags, problem }: NotesSummary): string {
  if (versions.length === 0) return 'They were not read.';
  const spoken = flags.map((flag) => FLAG_WORDS[flag]).join(', ');
  const of =
    spoken === '' ? 'nothing was marked' : versions.length === 1 ? `it mentions ${spoken}` : `they mention ${spoken}`;
  return `${plural(versions.length, 'release')}: ${of}.${problem === null ? '' : ' Not all were read.'}`;
}
