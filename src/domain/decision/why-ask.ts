import type { Container } from '../container';
import { isWithin, type Jump } from '../images/version-jump';
import type { Plan } from '../plan/plan';

/** Why the operator must approve such a jump of this container, as a clause; null: it runs automatically. */
export function whyAsk({ labels, database }: Container, jump: Plan['jump']): string | null {
  if (labels.policy !== 'automatic') return 'the policy is manual';
  if (database && !labels.allowDatabase) return 'it is a database, and update.allow-database is not true';
  if (!isSized(jump)) return `a move of this kind is never made automatically`;
  return isWithin(jump, labels.allow) ? null : `update.allow is ${labels.allow}, and this is a ${jump} update`;
}

/** A jump that `update.allow` can speak of. */
export function isSized(jump: Plan['jump']): jump is Jump {
  return jump !== 'downgrade' && jump !== 'other';
}
