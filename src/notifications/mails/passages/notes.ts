import { FLAG_WORDS, type NotesSummary } from '../../../domain/notes/release-notes';
import type { Update } from '../../../domain/update';
import { paragraph, type Block } from '../../letter/letter';

const MOST_VERSIONS = 5;

/** What the release notes say in a sentence, and the link to them; empty: no source of them is known. */
export function notesPassage({ notes = null }: Pick<Update, 'notes'>): Block[] {
  if (notes === null) return [];
  const said = notesSentence(notes);
  return [...(said === '' ? [] : [paragraph(said)]), { type: 'link', label: 'Release notes', url: notes.url }];
}

/** Empty: nothing but the link is known, and nothing is wrong about that. */
export function notesSentence({ versions, flags, problem }: NotesSummary): string {
  const shown = versions.slice(0, MOST_VERSIONS).join(', ');
  const more = versions.length > MOST_VERSIONS ? ` and ${versions.length - MOST_VERSIONS} older` : '';
  const speak = flags.map((flag) => FLAG_WORDS[flag]).join(', ');
  const marked = speak === '' ? '' : ` They mention ${speak}.`;
  const read = versions.length === 0 ? '' : `Release notes of ${shown}${more} were read.${marked}`;
  const unread =
    problem === null
      ? ''
      : `${versions.length === 0 ? 'Release notes were not read' : 'Not all were read'}: ${problem}`;
  return [read, unread].filter((text) => text !== '').join(' ');
}
