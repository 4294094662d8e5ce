import type { ChannelNotice } from '../domain/channel-notice';

/** The kinds of mail, as the outbox stores them. */
export type MailKind =
  | 'update_available'
  | 'critical_update_available'
  | 'approval_reminder'
  | 'offer_superseded'
  | 'update_succeeded'
  | 'update_failed'
  | 'soak_failed'
  | 'soak_ended'
  | 'backup_failed'
  | 'backup_old'
  | 'backup_shrunk'
  | 'drill_failed'
  | 'renewal_failed'
  | 'certificate_near_end'
  | 'network_lost'
  | 'engine_lost'
  | 'restore_ended'
  | 'digest';

/** A mail ready for the outbox. Both parts are complete on their own and have the same content. */
export interface RenderedMail {
  kind: MailKind;
  updateId: string | null;
  subject: string;
  html: string;
  text: string;
  /** The same in a few lines, for channels; null: it is for no channel. */
  notice: ChannelNotice | null;
}
