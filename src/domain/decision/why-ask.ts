import { type Container, isBuiltHere } from '../container';
import { isJumpWithin, type Jump } from '../images/version-jump';
import { FLAG_WORDS, type NoteFlag, type NotesWord } from '../notes/release-notes';
import type { Plan } from '../plan/plan';
import type { NewMajor } from '../plan/postgres-major';

/** Why the operator must approve such a jump of this container, as a clause; null: it runs automatically. */
export function whyAsk(container: Container, jump: Plan['jump']): string | null {
  const { labels, database, application } = container;
  if (labels.policy !== 'automatic') return 'the policy is manual';
  if (isBuiltHere(container)) return 'its image was built or loaded on this host, and no registry is known to have it';
  if (database && !labels.allowDatabase) return 'it is a database, and update.allow-database is not true';
  if (application === 'postgres' && jump === 'major') return NEW_MAJOR;
  if (!isSized(jump)) return `a move of this kind is never made automatically`;
  return isJumpWithin(jump, labels.allow) ? null : `update.allow is ${labels.allow}, and this is a ${jump} update`;
}

/** Its data is dumped and loaded: no label makes that automatic. */
const NEW_MAJOR = 'a new PostgreSQL major always needs approval';

/** By the word of the registry, which a tag need not tell. As a clause; null: the target is none. */
export function whyAskForMajor(newMajor: NewMajor | null | undefined): string | null {
  if (!newMajor) return null;
  return `${NEW_MAJOR}, and a passed rehearsal first (PostgreSQL ${newMajor.from} to ${newMajor.to})`;
}

/** A jump that `update.allow` can speak of. */
export function isSized(jump: Plan['jump']): jump is Jump {
  return jump !== 'downgrade' && jump !== 'other';
}

/**
 * Why `update.ask-on` has the operator asked, as a clause; null: it does not. Notes that cannot be read ask, too: they may hold what
 * the operator wants to be asked about.
 */
export function whyAskForNotes(askOn: readonly NoteFlag[], notes: NotesWord | null | undefined): string | null {
  if (askOn.length === 0 || notes === undefined) return null;
  const names = `update.ask-on is ${askOn.join(', ')}`;
  if (notes === null) return `${names}, and no source of release notes is known (update.notes can name one)`;
  const found = askOn.flatMap((flag) => notes.found.find((each) => each.flag === flag) ?? []);
  if (found.length > 0) {
    const said = found.map(({ flag, tag, words }) => `${FLAG_WORDS[flag]} (${tag}: “${words}”)`);
    return `its release notes mention ${said.join(' and ')}, and ${names}`;
  }
  if (notes.problem === null) return null;
  return `${names}, and the release notes were not read as a whole: ${notes.problem.replace(/\.$/, '')}`;
}
