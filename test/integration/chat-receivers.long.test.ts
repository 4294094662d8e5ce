import fc from 'fast-check';
import { createChannel } from '../../src/adapters/channels/channels';
import type { SentNotice } from '../../src/adapters/channels/formats';
import { readNotifyUrls } from '../../src/config/urls';
import { Secret } from '../../src/lib/secret';
import { noticeOfLetter } from '../../src/notifications/letter/render-letter';
import type { Channel } from '../../src/ports/mail-transport';
import { startReceiver, type Receiver } from '../support/chat-receivers';
import { hostile } from '../support/hostile-strings';

// Each service's own rules, at the other end of the wire.
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const LINK = 'https://pilot.example.org/approvals/abc.def';
let receiver: Receiver;
afterEach(() => receiver.close());

function channelTo(address: string): Channel {
  const read = readNotifyUrls(address);
  const target = 'problem' in read ? undefined : read.value[0];
  if (target === undefined) throw new Error('no channel');
  return createChannel({ target, secret: new Secret(SECRET), now: () => new Date() });
}
function noticeWith(text: string, label = 'Review and decide'): SentNotice {
  const letter = {
    ...{ kind: 'update_failed' as const, updateId: null, about: text, subject: text, heading: text },
    verdict: { tone: 'alarm' as const, word: text.trim() === '' ? 'Failed' : `Failed ${text}` },
    blocks: [
      ...Array.from({ length: 9 }, () => ({ type: 'paragraph' as const, text })),
      { type: 'link' as const, label, url: LINK, button: true },
    ],
    page: 'https://pilot.example.org/',
  };
  return { ...noticeOfLetter(letter), id: '01J', at: '2026-01-05T03:00:00.000Z' };
}

describe.each(['slack', 'discord', 'mattermost', 'webhook'] as const)('%s', (service) => {
  test('takes the longest text of any script, and each of 200 hostile ones', async () => {
    receiver = await startReceiver(service, SECRET);
    const channel = channelTo(receiver.address);
    const longest = ['x', 'ä', '😀', '👩‍👩‍👧‍👦', '&', '<', '*', '\\', '@here '].map((each) => each.repeat(5000));
    const odd = fc.sample(hostile, 200);
    for (const text of [...longest, ...odd]) await channel.send(noticeWith(text));
    expect(receiver.refused).toEqual([]);
    expect(receiver.taken).toHaveLength(longest.length + odd.length);
    for (const body of receiver.taken) expect(JSON.stringify(body)).toContain('abc.def');
  });

  test('refuses what is beyond its rules, for good, in its own words', async () => {
    receiver = await startReceiver(service, SECRET);
    const beyond = { ...noticeWith('x'), title: '', verdict: '', link: { label: 'x', url: 'javascript:alert(1)' } };
    const sent = channelTo(receiver.address.replace(/\/(\w+)$/, '/other'));
    await expect(sent.send(noticeWith('x'))).rejects.toMatchObject({ permanent: true, code: 'channel_refused' });
    expect(receiver.refused).toHaveLength(1);
    if (service === 'mattermost') return;
    const error = await channelTo(receiver.address)
      .send(beyond)
      .then(
        () => null,
        (reason: Error) => reason,
      );
    expect(error?.message).toMatch(/answered 400: .*(invalid_blocks|Invalid Form Body|the body is wrong)/);
    expect(receiver.taken).toEqual([]);
  });
});
