import { countMentions, type Piece, readEnvFile, readPieces } from './variables';
import { extendersOf, findImageLine, type ImageLine } from './image-line';
import type { ProjectText, ProjectTexts } from './compose-project';

/** From which reference to which a service goes. */
export interface TagChange {
  service: string;
  /** What the old container was created by, and what the new one is (`Config.Image`). */
  oldReference: string;
  newReference: string;
}

/** Where such a change is to be made in these files. */
export type TagQuestion = TagChange & ProjectTexts;

/** The change of one value, from `before` to `after`, in one file. */
export interface TagEdit {
  path: string;
  /** In characters of the text. */
  offset: number;
  before: string;
  after: string;
  /** Counted from 1. */
  line: number;
  /** For a person, such as `image: nginx:1.28` or `NGINX_TAG=1.28`. */
  shown: { before: string; after: string };
}

/** Where the image of a service stands; `shown` null: it is not known how. */
interface Place {
  path: string;
  line: number;
  shown: string | null;
}

/**
 * `edit`: this one value is to be changed. `written`: the files name the new reference already. `unsure`: a person must
 * do it, for this reason, at this place, as far as it is known.
 */
export type TagDecision =
  | { kind: 'edit'; edit: TagEdit }
  | { kind: 'written'; place: Place }
  | { kind: 'unsure'; reason: string; place: Place | null };

type Unsure = Extract<TagDecision, { kind: 'unsure' }>;

/**
 * Decides where the new tag of a service is written: the `image:` line of the compose file that wins, or the variable of
 * the `.env` file that it names. Pure, and never throws. What the change would touch besides (another service that shares
 * an anchor, an `extends` or a variable), and what is not understood for certain, makes it `unsure`.
 */
export function decideTagEdit(question: TagQuestion): TagDecision {
  const found = locate(question);
  if ('kind' in found) return found;
  const { file, line } = found;
  const place = placeInFile(file, line.start, `image: ${line.value}`);
  const pieces = readPieces(line.value);
  if (pieces === null) return unsure('its image is written in a way that diun-pilot does not read', place);
  const values = valuesOfPieces(pieces, found, question.envFiles);
  if ('reason' in values) return unsure(values.reason, place);
  const now = textOfPieces(values);
  if (now === question.newReference) return { kind: 'written', place };
  if (now !== question.oldReference)
    return unsure(`it names ${now} there, while the container was created from ${question.oldReference}`, place);
  const edit = editOfOne(question, found, values);
  return typeof edit === 'string' ? unsure(edit, place) : proven(question, edit, place);
}

/** The text with the edit made. */
export function applyEdit(
  text: string,
  { offset, before, after }: Pick<TagEdit, 'offset' | 'before' | 'after'>,
): string {
  return text.slice(0, offset) + after + text.slice(offset + before.length);
}

/** The same files with the edit made in the one that it concerns. */
export function withEdit<T extends ProjectTexts>(texts: T, edit: TagEdit): T {
  const edited = (file: ProjectText): ProjectText =>
    file.path === edit.path ? { ...file, text: applyEdit(file.text, edit) } : file;
  return { ...texts, composeFiles: texts.composeFiles.map(edited), envFiles: texts.envFiles.map(edited) };
}

function locate({ composeFiles, service }: TagQuestion): Located | Unsure {
  for (const file of [...composeFiles].reverse()) {
    const line = findImageLine(file.text, service);
    if (line.kind === 'absent') continue;
    if (line.kind === 'unsure')
      return unsure(line.reason, line.at === undefined ? null : placeInFile(file, line.at, null));
    const [extender] = composeFiles.flatMap(({ text }) => extendersOf(text, service));
    if (extender === undefined) return { file, line };
    const place = placeInFile(file, line.start, `image: ${line.value}`);
    return unsure(`the service ${extender} takes its image from it, by "extends"`, place);
  }
  return unsure('no compose file of the project has an image line for it; it may come by "include"', null);
}

/** Exactly one of the pieces must be able to take the change; else the reason. */
function editOfOne(question: TagQuestion, found: Located, values: PieceValue[]): TagEdit | string {
  const able = values.flatMap((value, index) => {
    const before = textOfPieces(values.slice(0, index));
    const after = between(question.newReference, before, textOfPieces(values.slice(index + 1)));
    return after !== null && holdsTag(value, before, question) ? [{ value, after }] : [];
  });
  const [one] = able;
  if (one === undefined || able.length > 1)
    return 'its image is put together from several parts, and it is not clear which of them is to change';
  const { value, after } = one;
  if (!/^[\w.:/@-]+$/.test(after)) return 'the new tag has characters that cannot be written there';
  const sharedBy = value.variable === null ? null : otherUse(value.variable, question);
  return sharedBy ?? editOf(found, value, after);
}

/** Whether something of the tag stands in this piece; where there was no tag, it is written behind the last one. */
function holdsTag({ text }: PieceValue, before: string, { oldReference, newReference }: TagQuestion): boolean {
  const tagStart = newReference.lastIndexOf(':') + 1;
  return text !== '' && before.length + text.length >= Math.min(tagStart + 1, oldReference.length);
}

function textOfPieces(values: readonly PieceValue[]): string {
  return values.map(({ text }) => text).join('');
}

function between(whole: string, before: string, behind: string): string | null {
  const fits = whole.startsWith(before) && whole.endsWith(behind) && whole.length > before.length + behind.length;
  return fits ? whole.slice(before.length, whole.length - behind.length) : null;
}

/** A variable that is used elsewhere, too, would change more than this image. */
function otherUse(name: string, { composeFiles, envFiles }: TagQuestion): string | null {
  const mentions = (files: readonly ProjectText[]): number =>
    files.reduce((sum, { text }) => sum + countMentions(text, name), 0);
  const once = mentions(composeFiles) === 1 && mentions(envFiles) === 0;
  return once ? null : `its image names the variable ${name}, which is used elsewhere in the project, too`;
}

function editOf({ line }: Located, { text, file, offset, variable }: PieceValue, after: string): TagEdit {
  const edit = { path: file.path, offset, before: text, after, line: lineOf(file.text, offset) };
  if (variable !== null) return { ...edit, shown: { before: `${variable}=${text}`, after: `${variable}=${after}` } };
  const changed = applyEdit(line.value, { ...edit, offset: offset - line.start });
  return { ...edit, shown: { before: `image: ${line.value}`, after: `image: ${changed}` } };
}

/** The files are read again as they would be, so that a defect of the reading cannot spoil them. */
function proven(question: TagQuestion, edit: TagEdit, place: Place): TagDecision {
  const after = decideTagEdit(withEdit(question, edit));
  return after.kind === 'written'
    ? { kind: 'edit', edit }
    : unsure('the edited file would not read as it should', place);
}

function placeInFile(file: ProjectText, offset: number, shown: string | null): Place {
  return { path: file.path, line: lineOf(file.text, offset), shown };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function unsure(reason: string, place: Place | null): Unsure {
  return { kind: 'unsure', reason, place };
}

/** What was changed, for the detail of a step and a mail. */
export function changeText({ path, line, shown }: TagEdit): string {
  return `${path}, line ${line}: "${shown.before}" is now "${shown.after}"`;
}

/** What the operator must change, where the line is known to the letter. */
export function editByHand(change: TagChange, { path, line, shown }: TagEdit, reason: string): string {
  return byHand(
    change,
    `in ${path}, service ${change.service}, ${lineChange(shown.before, shown.after)} (line ${line})`,
    reason,
  );
}

/** The same, where only the place is known, or not even that: then the project's files are named. */
export function placeByHand(change: TagChange, place: Place | null, files: readonly string[], reason: string): string {
  const { service, oldReference, newReference } = change;
  const asUsual = lineChange(`image: ${oldReference}`, `image: ${newReference}`);
  if (place === null) return byHand(change, `in ${files.join(', ')}, service ${service}, ${asUsual}`, reason);
  const isAsUsual = place.shown === null || place.shown === `image: ${oldReference}`;
  const what = isAsUsual ? asUsual : `change the line "${place.shown}" so that it names ${newReference}`;
  return byHand(change, `in ${place.path}, service ${service}, ${what} (line ${place.line})`, reason);
}

/** The files are right, but Compose does not know the container by them. */
export function recreatedOnce(container: string, { newReference }: TagChange, reason: string): string {
  return `The next "docker compose up -d" re-creates ${container} from the same ${newReference}: run it at a time when a short interruption is acceptable. ${reason}`;
}

function lineChange(before: string, after: string): string {
  return `change the line "${before}" to "${after}"`;
}

function byHand({ oldReference }: TagChange, what: string, reason: string): string {
  return `Still to do: ${what}. Until then, "docker compose up -d" goes back to ${oldReference}. diun-pilot did not change it automatically: ${reason}`;
}

/** The compose file that wins, and the image line in it. */
interface Located {
  file: ProjectText;
  line: ImageLine;
}

/** What a piece of the image line stands for now, and where that is written. */
interface PieceValue {
  text: string;
  file: ProjectText;
  /** In characters of the file's text. */
  offset: number;
  /** The variable of the `.env` file that holds it; null: it stands in the compose file. */
  variable: string | null;
}

/** The value of every piece, or why it is not certain. */
function valuesOfPieces(
  pieces: readonly Piece[],
  located: Located,
  envFiles: readonly ProjectText[],
): PieceValue[] | { reason: string } {
  const values = pieces.map((piece) => valueOf(piece, located, envFiles));
  return values.find((value) => 'reason' in value) ?? (values as PieceValue[]);
}

function valueOf(piece: Piece, located: Located, envFiles: readonly ProjectText[]): PieceValue | { reason: string } {
  const inLine = (text: string, start: number): PieceValue => ({
    ...{ text, file: located.file, offset: located.line.start + start },
    variable: null,
  });
  if (piece.kind === 'text') return inLine(piece.text, piece.start);
  const set = lookUp(piece.name, envFiles);
  if (set !== null && 'reason' in set) return set;
  const { fallback } = piece;
  if (fallback !== null && (set === null || (set.text === '' && fallback.whenEmpty)))
    return inLine(fallback.text, fallback.start);
  if (set !== null) return set;
  return { reason: `its image names the variable ${piece.name}, which no .env file that diun-pilot reads sets` };
}

/** Of several files the last that sets it wins. */
function lookUp(name: string, files: readonly ProjectText[]): PieceValue | { reason: string } | null {
  for (const file of [...files].reverse()) {
    const entries = readEnvFile(file.text);
    if (entries === null) return { reason: `${file.path} is written in a way that diun-pilot does not read` };
    const [entry, second] = entries.filter((one) => one.name === name);
    if (entry === undefined) continue;
    if (second !== undefined) return { reason: `${file.path} sets the variable ${name} twice` };
    if (entry.value === null) return { reason: `${file.path} sets the variable ${name} to more than plain text` };
    return { text: entry.value, file, offset: entry.start, variable: name };
  }
  return null;
}
