/** The topics of a channel (`?on=` of PILOT_NOTIFY_URL; docs/notifications.md). */
export const NOTICE_TOPICS = ['decisions', 'failures', 'successes'] as const;
export type NoticeTopic = (typeof NOTICE_TOPICS)[number];

/** 5: manual action required. 4: a failure or a decision. 3: information, or a success with a step left. 2: nothing to do. The scale is that of ntfy. */
export type NoticePriority = 2 | 3 | 4 | 5;

/** A mail in a few lines, for services other than mail. All text is clean: one line each, without control characters. */
export interface ChannelNotice {
  /** That of its mail, such as `update_failed`. */
  kind: string;
  topic: NoticeTopic;
  /** `gitea: update failed, the old version is running again`. */
  title: string;
  /** In a word or two, such as `Rolled back`. */
  verdict: string;
  priority: NoticePriority;
  /** Paragraphs: what happened, why, what to do. */
  text: string[];
  /** The signed link of the mail, or the page with the details. It never decides anything. Null: there is none. */
  link: { label: string; url: string } | null;
}

/** A channel as its settings describe it. */
export interface ChannelTarget {
  kind: 'ntfy' | 'webhook' | 'apprise' | 'slack' | 'discord' | 'mattermost';
  /** The same for the same address; holds no secret. */
  id: string;
  /** For people, such as `ntfy at ntfy.example.org`; holds no secret. */
  name: string;
  topics: readonly NoticeTopic[];
}
