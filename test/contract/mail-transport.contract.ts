import { MailError } from '../../src/domain/errors';
import type { MailTransport } from '../../src/ports/mail-transport';
import { aMail } from '../support/mail-builder';

/** What the receiving side holds, told the same for every transport. */
export interface ReceivedMail {
  /** What stays the same when the same mail is sent again. */
  identity: string;
  from: string;
  to: string[];
  subject: string;
  html: string;
  text: string;
  /** Names of all headers that the transport itself wrote, in lower case. */
  headers: string[];
}

export interface MailHarness {
  transport: MailTransport;
  received(): Promise<ReceivedMail[]>;
  /** From now on nothing can be delivered. */
  takeDown(): Promise<void>;
  close(): Promise<void>;
}

/** The promises of `MailTransport` (ports/mail-transport), held by every adapter. */
export function mailTransportContract(name: string, open: () => Promise<MailHarness>): void {
  describe(`mail transport ${name}`, () => {
    let harness: MailHarness;
    beforeEach(async () => (harness = await open()));
    afterEach(() => harness.close());

    it('delivers subject, both parts and addresses as they were given', async () => {
      const mail = aMail({ to: ['ops@example.org', 'night@example.org'] });
      await harness.transport.send(mail);
      const [received] = await harness.received();
      expect(received).toMatchObject({ subject: mail.subject, to: mail.to });
      expect(received?.from).toContain('pilot@example.org');
      expect(received?.text.trimEnd()).toBe(mail.text.trimEnd());
      expect(received?.html.trimEnd()).toBe(mail.html.trimEnd());
    });

    it('gives the same mail the same identity when it is sent again, and another mail another', async () => {
      for (const id of ['A1', 'A1', 'B2']) await harness.transport.send(aMail({ id }));
      const identities = (await harness.received()).map(({ identity }) => identity);
      expect(new Set(identities).size).toBe(2);
    });

    it('lets no header be smuggled in through the subject', async () => {
      await harness.transport.send(aMail());
      await harness.transport.send(aMail({ id: 'C3', subject: 'a\r\nBcc: thief@example.org\r\n\r\n<b>body</b>' }));
      const [honest, hostile] = await harness.received();
      expect(hostile?.headers).toEqual(honest?.headers);
      expect(hostile?.to).toEqual(['ops@example.org']);
      expect(hostile?.text).toBe(honest?.text);
    });

    it('finds nothing to complain about while mail can be sent', async () => {
      await expect(harness.transport.check()).resolves.toBeUndefined();
      expect(await harness.received()).toEqual([]);
    });

    it('says that trying again may help when nobody takes the mail', async () => {
      await harness.takeDown();
      for (const attempt of [() => harness.transport.send(aMail()), () => harness.transport.check()]) {
        const error = await attempt().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(MailError);
        expect(error).toMatchObject({ permanent: false, code: 'mail_unreachable' });
      }
    });
  });
}
