import type { ChannelTarget } from '../../domain/channel-notice';
import type { Secret } from '../../lib/secret';
import type { Channel } from '../../ports/mail-transport';
import { apprise, discord, mattermost, ntfy, slack, standardWebhook, type Format } from './formats';
import { makeCall, secretsIn } from './http-call';

export interface ChannelOptions {
  target: ChannelTarget & { url: Secret };
  /** `whsec_…`; signs the calls of `webhook`, and is required for it. */
  secret: Secret | null;
  now: () => Date;
}

/** Throws when the secret of a `webhook` is missing or is not base64: the settings have been checked before. */
export function createChannel({ target, secret, now }: ChannelOptions): Channel {
  const { url, ...described } = target;
  const format = formatOf(described.kind, secret, now);
  const address = new URL(url.reveal());
  return {
    ...described,
    send: (notice) => {
      const link = notice.link === null ? [] : [notice.link.url];
      return makeCall(format(address, notice), described.name, [...secretsIn(address), ...link]);
    },
  };
}

function formatOf(kind: ChannelTarget['kind'], secret: Secret | null, now: () => Date): Format {
  switch (kind) {
    case 'webhook':
      return standardWebhook(secret?.reveal() ?? '', now);
    case 'ntfy':
      return ntfy;
    case 'apprise':
      return apprise;
    case 'slack':
      return slack;
    case 'discord':
      return discord;
    case 'mattermost':
      return mattermost;
  }
}
