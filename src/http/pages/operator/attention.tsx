import type { ComponentChildren, JSX } from 'preact';
import { ONE_PILOT } from '../../../domain/pilots';
import { oneLine } from '../../../notifications/letter/clean';
import { CHECK_NAMES, type CheckName } from '../../health/health-report';
import { ago, inWords } from '../words';
import type { OperatorData, Seen } from './operator-data';
import { UpdateLink } from './parts';

/** Where on this page more is told of a check. */
const SECTIONS: Partial<Record<CheckName, string>> = {
  docker: 'watched',
  scheduler: 'timers',
  outbox: 'mails',
  backups: 'backups',
  certificates: 'certificates',
  channels: 'channels',
};

/** What is wrong, first of all: containers that an update left without a version that serves, then the checks of /health. */
export function Attention({ health: { status, checks }, containers, otherPilots, now }: OperatorData): JSX.Element {
  const down = leftDown(containers);
  const bad = CHECK_NAMES.filter((name) => checks[name].status !== 'ok');
  if (bad.length + down.length + otherPilots.length === 0) {
    return <AllIsWell />;
  }
  return (
    <section
      class={`notice ${status === 'down' || down.length > 0 ? 'alarm' : 'attention'}`}
      aria-labelledby="attention"
    >
      <h2 id="attention">Needs attention</h2>
      <ul>
        {down.map((seen) => (
          <Down {...seen} now={now} />
        ))}
        {otherPilots.map((name) => (
          <li>
            Another diun-pilot serves in the container <strong>{oneLine(name)}</strong> on this engine: {ONE_PILOT}
          </li>
        ))}
        {bad.map((name) => (
          <li>
            <strong>{CheckTitle(name)}</strong>: {withCode(oneLine(checks[name].reason ?? checks[name].status))}
          </li>
        ))}
      </ul>
    </section>
  );
}

function AllIsWell(): JSX.Element {
  return (
    <p>
      <span class="badge good">All is well</span> Every check passed: {CHECK_NAMES.join(', ')}.
    </p>
  );
}

/** By their newest update: a later one that succeeded, or that only waits, tells of another time. */
export function leftDown(containers: Seen[] | null): Seen[] {
  return (containers ?? []).filter(({ latest }) => latest?.status === 'rollback_failed');
}

function Down({ container, latest, now }: Seen & { now: Date }): JSX.Element | null {
  if (latest === null) return null;
  return (
    <li>
      <strong>{oneLine(container.name)}</strong>, {ago(latest.finishedAt ?? latest.createdAt, now)}:{' '}
      {oneLine(latest.reason)} <UpdateLink update={latest} text="What to do" />
    </li>
  );
}

function CheckTitle(name: CheckName): ComponentChildren {
  const section = SECTIONS[name];
  return section === undefined ? inWords(name) : <a href={`#${section}`}>{inWords(name)}</a>;
}

/** What stands between backticks is to be typed. */
function withCode(text: string): ComponentChildren {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : <code>{part}</code>));
}
