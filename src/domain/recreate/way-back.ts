import type { Journal } from '../journal';
import { DAY_MS } from '../format';

/** What a rollback that failed may still need waits for its operator: its backup, and the old container. */
export const KEPT_AFTER_FAILED_ROLLBACK_MS = 30 * DAY_MS;

/**
 * Whether the old container of an update is the way back: no new one was seen healthy in its place, or the one that was failed in
 * its soak. Null: nothing is known of it.
 */
export function oldIsWayBack(journal: Journal | null): boolean {
  return journal?.stage !== 'settled';
}

/** Why the old container still exists after a rollback that failed, with the commands for it. `old`: its name now. */
export function wayBackReason(container: string, old: string): string {
  const free = `docker stop ${container} && docker rename ${container} ${container}.replaced`;
  return (
    `It is the version from before the update, which was not brought back. ` +
    `To bring it back: \`${free} && ${putBackCommand(container, old)}\`. If you do not need it: \`docker rm ${old}\`. ` +
    `Until then, docker compose up -d may remove the wrong one of the two.`
  );
}

/** For a shell on the host, where no container has the name. */
export function putBackCommand(container: string, old: string): string {
  return `docker rename ${old} ${container} && docker start ${container}`;
}
