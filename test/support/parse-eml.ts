import { simpleParser, type AddressObject } from 'mailparser';
import type { ReceivedMail } from '../contract/mail-transport.contract';

/** A MIME message as a reader's program sees it. `Received` headers come from servers on the way. */
export async function parseEml(source: Buffer | string): Promise<ReceivedMail> {
  const parsed = await simpleParser(source, { skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true });
  return {
    identity: parsed.messageId ?? '',
    from: parsed.from?.text ?? '',
    to: [parsed.to ?? []].flat().flatMap((list: AddressObject) => list.value.map(({ address }) => address ?? '')),
    subject: parsed.subject ?? '',
    html: parsed.html || '',
    text: parsed.text ?? '',
    headers: parsed.headerLines.map(({ key }) => key).sort(),
  };
}
