import type { ChannelNotice, ChannelTarget } from '../domain/channel-notice';
import type { Outbox, OutboxMail } from './outbox';

/** The channels in use. `Outbox.add` writes a delivery for each channel that asks for the topic, in the same transaction. */
export interface Channels {
  /**
   * From now on exactly these channels are notified. Pending deliveries for other channels are dropped; returns how many.
   */
  use(channels: readonly ChannelTarget[]): number;
  /** `channel`: its id. */
  of(channel: string): NoticeDeliveries;
}

/** The notices for one channel: like the outbox, for notices. */
export interface NoticeDeliveries extends Pick<Outbox, 'sent' | 'deferred' | 'refused' | 'retryRefused' | 'state'> {
  /** To deliver now, oldest first. */
  due(now: string): NoticeToSend[];
}

/** One notice on its way to one channel. `id`: that of its mail. */
export interface NoticeToSend extends Pick<OutboxMail, 'id' | 'kind' | 'updateId' | 'createdAt' | 'attempts'> {
  notice: ChannelNotice;
}
