import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MailError } from '../../domain/errors';
import { makeFolder } from '../../lib/make-folder';
import type { Mail, MailTransport } from '../../ports/mail-transport';
import { composeEml } from './compose-eml';

/**
 * Writes each mail as `ID.eml` into a folder, whole or not at all (temporary file, fsync, rename, fsync of the folder).
 * The same mail sent again replaces its own file by equal bytes. Mails may hold signed links: only the owner reads them.
 */
export function createFileTransport({ folder }: { folder: string }): MailTransport {
  return {
    send: async (mail) => {
      const name = fileName(mail);
      const content = await composeEml(mail);
      await translated(() => writeWhole(folder, name, content));
    },
    check: () =>
      translated(async () => {
        await makeFolder(folder);
        const probe = join(folder, `.check-${randomUUID()}`);
        await writeDurably(probe, Buffer.from('diun-pilot'));
        await rm(probe);
      }),
  };
}

function fileName({ id }: Mail): string {
  if (/^[A-Za-z0-9_-]{1,100}$/.test(id)) return `${id}.eml`;
  throw new MailError('mail_refused', 'The id of the mail cannot be the name of a file.', true);
}

async function writeWhole(folder: string, name: string, content: Buffer): Promise<void> {
  await makeFolder(folder);
  const temporary = join(folder, `.${name}-${randomUUID()}`);
  try {
    await writeDurably(temporary, content);
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  await syncFolder(folder);
}

async function writeDurably(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Never permanent: a full disk or a wrong owner is fixed without a restart. Node's own message would show the path. */
async function translated(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new MailError(
      'mail_unreachable',
      `The mail folder cannot be written (${code}): make it a folder that diun-pilot may write, with space left.`,
      false,
      { cause: error },
    );
  }
}
