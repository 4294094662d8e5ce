import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import type { BackupStorage } from '../../src/ports/backup-storage';

export type Damage = 'flip' | 'cut' | 'empty';

/** A storage that stores something else than it was given, for the keys that match, and does not notice. */
export function damagingStorage(storage: BackupStorage, key: RegExp, damage: Damage): BackupStorage {
  return {
    ...storage,
    put: (given, content) => storage.put(given, key.test(given) ? damaged(content, damage) : content),
  };
}

function damaged(content: Readable, damage: Damage): Readable {
  let first = true;
  let held: Buffer | null = null;
  const wrong = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (damage === 'empty') return done();
      const before = held;
      held = Buffer.from(chunk);
      if (damage === 'flip' && first) held[Math.floor(held.length / 2)]! ^= 0x01;
      first = false;
      done(null, before ?? undefined);
    },
    flush(done) {
      // The last chunk loses its end.
      if (held !== null) this.push(damage === 'cut' ? held.subarray(0, Math.floor(held.length / 2)) : held);
      done();
    },
  });
  content.on('error', (error) => wrong.destroy(error));
  return content.pipe(wrong);
}
