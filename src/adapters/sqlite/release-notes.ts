import type { Release } from '../../domain/notes/release-notes';
import type { KeptAnswer, NotesCache, NotesTexts } from '../../ports/release-notes';
import { type Database, fromJson, toJson } from './database';

const MOST_ANSWERS = 200;
const MOST_CHARACTERS = 16 * 1024 * 1024;
/** Many more than may be pending approval; older updates keep the link. */
const MOST_TEXTS = 200;

export function createNotesCache(database: Database): NotesCache {
  const shorten = database.prepare<[number, number]>(
    `DELETE FROM notes_answers WHERE address IN (
       SELECT address FROM (
         SELECT address, row_number() OVER newest AS place, sum(length(content)) OVER newest AS characters
         FROM notes_answers WINDOW newest AS (ORDER BY at DESC, address ROWS UNBOUNDED PRECEDING))
       WHERE place > ? OR characters > ?)`,
  );
  return {
    get: (address) =>
      database
        .prepare<[string], KeptAnswer>('SELECT etag, content, at FROM notes_answers WHERE address = ?')
        .get(address) ?? null,
    put: (address, answer) =>
      database.transaction(() => {
        database
          .prepare('INSERT OR REPLACE INTO notes_answers VALUES (@address, @etag, @content, @at)')
          .run({ address, ...answer });
        shorten.run(MOST_ANSWERS, MOST_CHARACTERS);
      })(),
  };
}

export function createNotesTexts(database: Database): NotesTexts {
  return {
    save: (updateId, releases) => {
      if (releases.length === 0) return;
      database.prepare('INSERT OR REPLACE INTO notes_texts VALUES (?, ?)').run(updateId, toJson(releases));
      database
        .prepare(
          `DELETE FROM notes_texts WHERE update_id <= (
             SELECT update_id FROM notes_texts ORDER BY update_id DESC LIMIT 1 OFFSET ?)`,
        )
        .run(MOST_TEXTS);
    },
    of: (updateId) => {
      const found = database
        .prepare<[string], { releases: string }>('SELECT releases FROM notes_texts WHERE update_id = ?')
        .get(updateId);
      return fromJson<Release[]>(found?.releases ?? null) ?? [];
    },
  };
}
