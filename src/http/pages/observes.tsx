import type { JSX } from 'preact';
import { HOW_TO_ACT, OBSERVES } from '../../domain/mode';

/** Above everything that a button would start. */
export function Observes(): JSX.Element {
  return (
    <div class="notice attention">
      <p>
        <strong>{OBSERVES}</strong> It decides, backs up and reports. It refuses approvals, requested updates, restores
        and renewals. {HOW_TO_ACT}
      </p>
    </div>
  );
}
