import { ASKED, JSON_DOCUMENTS } from './parsers/json';
import { NOTES } from './parsers/notes';
import type { Parser } from './parsers/parser';
import { STREAMS } from './parsers/streams';
import { TEXTS } from './parsers/texts';

/** Every parser of what a stranger wrote. */
export const PARSERS: readonly Parser[] = [...TEXTS, ...NOTES, ...JSON_DOCUMENTS, ...STREAMS, ...ASKED];
