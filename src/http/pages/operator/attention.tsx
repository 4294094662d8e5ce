import type { ComponentChildren, JSX } from 'preact';
import { ONE_PILOT } from '../../../domain/container';
import { oneLine } from '../../../notifications/letter/clean';
import { ago } from '../words';
import type { OperatorData, Seen } from './operator-data';
import { UpdateLink } from './table';
import { CHECK_NAMES, type CheckName } from '../../../diagnosis/health-report';
import { codeAsText } from '../../../domain/format';

/** The section of this page with the details of a check. */
const SECTIONS: Partial<Record<CheckName, string>> = {
  docker: 'watched',
  scheduler: 'timers',
  outbox: 'mails',
  backups: 'backups',
  certificates: 'certificates',
  channels: 'channels',
};

/** Problems first: containers that an update left without a working version, then the checks of /health. */
export function Attention(data: OperatorData): JSX.Element | null {
  const {
    health: { status, checks },
    containers,
    otherPilots,
    now,
  } = data;
  if (problemsOf(data) === 0) return null;
  const down = leftDown(containers);
  const bad = CHECK_NAMES.filter((name) => checks[name].status !== 'ok');
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
            Another diun-pilot runs in the container <strong>{oneLine(name)}</strong> on this engine: {ONE_PILOT}
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

/** How many lines it has. */
export function problemsOf({ health: { checks }, containers, otherPilots }: OperatorData): number {
  const bad = CHECK_NAMES.filter((name) => checks[name].status !== 'ok');
  return bad.length + leftDown(containers).length + otherPilots.length;
}

/** What was only offered, ignored or declined since has repaired nothing. */
function leftDown(containers: Seen[] | null): Seen[] {
  return (containers ?? []).filter(({ brokenBy }) => brokenBy !== null);
}

function Down({ container, brokenBy, now }: Seen & { now: Date }): JSX.Element | null {
  if (brokenBy === null) return null;
  return (
    <li>
      <strong>{oneLine(container.name)}</strong>, {ago(brokenBy.finishedAt ?? brokenBy.createdAt, now)}:{' '}
      {oneLine(brokenBy.reason)} <UpdateLink update={brokenBy} text="What to do" />
    </li>
  );
}

function CheckTitle(name: CheckName): ComponentChildren {
  const section = SECTIONS[name];
  return section === undefined ? codeAsText(name) : <a href={`#${section}`}>{codeAsText(name)}</a>;
}

/** Text between backticks is a command. */
function withCode(text: string): ComponentChildren {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : <code>{part}</code>));
}
