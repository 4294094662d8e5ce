import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Mail } from '../../ports/mail-transport';

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

/** In the sender's domain, as RFC 5322 (3.6.4) advises. */
function messageId({ id, from }: Mail): string {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
  return `<${id}@${domain}>`;
}

/** Follows from the content, so that no content can hold it. */
function boundary({ id, subject, html, text }: Mail): string {
  return createHash('sha256')
    .update(JSON.stringify([id, subject, html, text]))
    .digest('hex')
    .slice(0, 32);
}
