import type { JSX } from 'preact';
import { oneLine } from '../../../notifications/letter/clean';
import { CHECK_NAMES } from '../../health-report';
import { page } from '../layout';
import { inWords } from '../words';
import { Backups } from './backups';
import { Certificates } from './certificates';
import { hasIncidents, Incidents } from './incidents';
import type { OperatorData } from './operator-data';
import { Diun, Mails, Refused, Timers } from './records';
import { Watched } from './watched';
import { History, Waiting, Working } from './work';

/** Everything about this host on one page, the urgent first. Rendered here whole: it needs no script. */
export function operatorPage(data: OperatorData): string {
  return page({
    title: 'Overview',
    wide: true,
    header: <Sections {...data} />,
    children: (
      <>
        <h1>Containers and their updates</h1>
        <Message {...data} />
        <Health {...data} />
        <Waiting {...data} />
        <Working {...data} />
        <Watched {...data} />
        <Incidents {...data} />
        <History {...data} />
        <Backups {...data} />
        <Certificates {...data} />
        <Refused {...data} />
        <Diun {...data} />
        <Mails {...data} />
        <Timers {...data} />
      </>
    ),
  });
}

function Sections({ waiting, working, lost, incidents, timers }: OperatorData): JSX.Element {
  const sections: [id: string, name: string, count?: number][] = [
    ['waiting', 'Waits for you', waiting.length],
    ['working', 'Under way', working.length],
    ['watched', 'Watched'],
    ...(hasIncidents({ lost, incidents })
      ? [['incidents', 'Lost networks', lost.length] as [string, string, number]]
      : []),
    ['history', 'History'],
    ['backups', 'Backups'],
    ['certificates', 'Certificates'],
    ['refused', 'Not offered again'],
    ['diun', 'Diun'],
    ['mails', 'Mails'],
    ...(timers.length === 0 ? [] : [['timers', 'Next runs'] as [string, string]]),
  ];
  return (
    <nav aria-label="Sections">
      <ul>
        {sections.map(([id, name, count = 0]) => (
          <li>
            <a href={`#${id}`}>{name}</a>
            {count === 0 ? null : <span class="count">{count}</span>}
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Message({ message }: OperatorData): JSX.Element | null {
  if (message === null) return null;
  return (
    <div class={`notice ${message.tone}`} role={message.tone === 'good' ? 'status' : 'alert'}>
      <p>{message.words}</p>
    </div>
  );
}

function Health({ health: { status, checks } }: OperatorData): JSX.Element | null {
  const bad = CHECK_NAMES.filter((name) => checks[name].status !== 'ok');
  if (bad.length === 0) {
    return (
      <p>
        <span class="badge good">All is well</span> Every check passed: {CHECK_NAMES.join(', ')}.
      </p>
    );
  }
  return (
    <section class={`notice ${status === 'down' ? 'alarm' : 'attention'}`} aria-labelledby="health">
      <h2 id="health">Needs attention</h2>
      <ul>
        {bad.map((name) => (
          <li>
            <strong>{inWords(name)}</strong>: {oneLine(checks[name].reason ?? checks[name].status)}
          </li>
        ))}
      </ul>
    </section>
  );
}
