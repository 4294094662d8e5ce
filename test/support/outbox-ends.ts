import { createChannel } from '../../src/adapters/channels/channels';
import { readNotifyUrls } from '../../src/config/urls';
import { Secret } from '../../src/lib/secret';
import type { Channel, MailTransport } from '../../src/ports/mail-transport';

/** Where an outbox delivers to: a webhook channel and a mail server, both at one address. */
export function endsAt(address: string): { channel: Channel; transport: MailTransport } {
  const read = readNotifyUrls(`webhook+http://${address}/channel`);
  const target = 'problem' in read ? undefined : read.value[0];
  if (target === undefined) throw new Error('no channel');
  const secret = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const send = async ({ id }: { id: string }): Promise<void> => {
    const answer = await fetch(`http://${address}/mail`, { method: 'POST', headers: { 'webhook-id': id } });
    if (!answer.ok) throw new Error(String(answer.status));
  };
  return {
    channel: createChannel({ target, secret, now: () => new Date() }),
    transport: { send, check: () => Promise.resolve() },
  };
}
