/** Version 1.15 of the format (PostgreSQL 16) stores the kind of compression in one byte, earlier ones its level as a number. */
const COMPRESSION_IN_ONE_BYTE = 15;
const NUMBERS_OF_TIME = 7;

/**
 * The major version of the server that a dump in the custom format was taken from, read from its first bytes; null when
 * they tell none (pg_backup_archiver.c, `ReadHead`).
 */
export function dumpedMajor(head: Buffer): number | null {
  if (head.subarray(0, 5).toString('latin1') !== 'PGDMP' || head.length < 11) return null;
  const reader = { at: 11, intSize: head[8] ?? 4 };
  const minor = head[6] ?? 0;
  reader.at += minor >= COMPRESSION_IN_ONE_BYTE ? 1 : reader.intSize + 1;
  reader.at += NUMBERS_OF_TIME * (reader.intSize + 1);
  readText(head, reader); // the database's name
  return majorOf(readText(head, reader));
}

/** The same, of a dump as it is read. */
export async function majorOfDump(content: AsyncIterable<Buffer>): Promise<number | null> {
  for await (const head of content) return dumpedMajor(head);
  return null;
}

/** `15.10 (Debian 15.10-0+deb12u1)` */
function majorOf(version: string | null): number | null {
  const major = /^(\d+)/.exec(version ?? '')?.[1];
  return major === undefined ? null : Number(major);
}

function readText(head: Buffer, reader: { at: number; intSize: number }): string | null {
  const negative = head[reader.at] === 1;
  const digits = head.subarray(reader.at + 1, reader.at + 1 + reader.intSize);
  const length = digits.reduceRight((sum, digit) => sum * 256 + digit, 0);
  reader.at += 1 + reader.intSize;
  if (negative || reader.at + length > head.length) return null;
  reader.at += length;
  return head.subarray(reader.at - length, reader.at).toString('utf8');
}
