import { eventually } from './eventually';
import { parseEml } from './parse-eml';
import type { TestSmtpServer } from './smtp-server';

export interface MailSeen {
  /** Its Message-ID. */
  id: string;
  subject: string;
}

/**
 * What the server was given after its first `since` mails, once `atLeast` different mails are among it, or after two minutes.
 * A mail that diun-pilot was killed with, before it could record that the server has it, comes again under its own ID: it is
 * one mail.
 */
export async function mailsSince(server: TestSmtpServer, since: number, atLeast: number): Promise<MailSeen[]> {
  const seen = (): Promise<MailSeen[]> => differentMails(server, since);
  // That they do not come is for the assertions to tell, with what came instead.
  const arrived = async (): Promise<boolean> => (await seen()).length >= atLeast;
  await eventually('the mails arrive', arrived).catch(() => undefined);
  return seen();
}

async function differentMails({ received }: TestSmtpServer, since: number): Promise<MailSeen[]> {
  const parsed = await Promise.all(received.slice(since).map(({ raw }) => parseEml(raw)));
  const byId = new Map(parsed.map(({ identity, subject }) => [identity, { id: identity, subject }]));
  return [...byId.values()];
}
