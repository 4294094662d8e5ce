import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import MailComposer from 'nodemailer/lib/mail-composer';
import { MailError } from '../../domain/errors';
import { makeFolder, writeAtomically, writeDurably } from '../../lib/files';
import type { Mail, MailTransport } from '../../ports/mail-transport';
import { messageId } from '../../lib/id';

/**
 * Writes each mail as `ID.eml` into a folder, whole or not at all (temporary file, fsync, rename, fsync of the folder).
 * The same mail sent again replaces its own file by equal bytes. Mails may hold signed links: only the owner reads them.
 */
export function createFileTransport({ folder }: { folder: string }): MailTransport {
  return {
    send: async (mail) => {
      const name = fileName(mail);
      const content = await composeEml(mail);
      await translated(async () => {
        await makeFolder(folder);
        await writeAtomically(join(folder, name), {
          temporary: join(folder, `.${name}-${randomUUID()}`),
          fill: (file) => file.writeFile(content),
        });
      });
    },
    check: () =>
      translated(async () => {
        await makeFolder(folder);
        const probe = join(folder, `.check-${randomUUID()}`);
        await writeDurably(probe, (file) => file.writeFile('diun-pilot'));
        await rm(probe);
      }),
  };
}

function fileName({ id }: Mail): string {
  if (/^[A-Za-z0-9_-]{1,100}$/.test(id)) return `${id}.eml`;
  throw new MailError('mail_refused', 'The id of the mail cannot be the name of a file.', true);
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

/** The complete MIME message. Equal mails give equal bytes: nothing in it is random or taken from the clock. */
export function composeEml(mail: Mail): Promise<Buffer> {
  return new MailComposer({
    from: mail.from,
    to: mail.to,
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    date: new Date(mail.date),
    messageId: messageId(mail),
    headers: { 'Auto-Submitted': 'auto-generated' },
    baseBoundary: boundary(mail),
    newline: 'unix',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build();
}

/** Follows from the content, so that no content can hold it. */
function boundary({ id, subject, html, text }: Mail): string {
  return createHash('sha256')
    .update(JSON.stringify([id, subject, html, text]))
    .digest('hex')
    .slice(0, 32);
}
