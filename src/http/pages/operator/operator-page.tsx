import type { JSX } from 'preact';
import { page } from '../layout';
import { AtAGlance, hasPictures } from './at-a-glance';
import { Attention } from './attention';
import { Observes } from '../observes';
import { Backups } from './backups';
import { Certificates } from './certificates';
import { hasIncidents, Incidents } from './incidents';
import { KeptContainers } from './kept-containers';
import type { OperatorData } from './operator-data';
import { NotWatched } from './not-watched';
import { Channels, Diun, Mails, Refused, Timers } from './records';
import { State } from './state';
import { needsAttention, Watched } from './watched';
import { History, Waiting, Working } from './work';

/** Everything about this host on one page: its state in one line, what needs a decision, then the rest. Rendered completely on the server: it needs no script. */
export function operatorPage(data: OperatorData): string {
  return page({
    title: data.waiting.length === 0 ? 'Overview' : `(${data.waiting.length}) Overview`,
    wide: true,
    children: (
      <>
        <State {...data} />
        <Message {...data} />
        {data.mode === 'observe' ? <Observes /> : null}
        <Attention {...data} />
        <Waiting {...data} />
        <Sections {...data} />
        <Working {...data} />
        <AtAGlance {...data} />
        <Incidents {...data} />
        <Watched {...data} />
        <NotWatched {...data} />
        <KeptContainers {...data} />
        <History {...data} />
        <Backups {...data} />
        <Certificates {...data} />
        <Refused {...data} />
        <Diun {...data} />
        <Mails {...data} />
        <Channels {...data} />
        <Timers {...data} />
      </>
    ),
  });
}

function Sections(data: OperatorData): JSX.Element {
  const { containers, notWatched, waiting, working, lost, incidents, kept, undelivered, channels, timers } = data;
  const all: [id: string, name: string, count?: number, absent?: boolean][] = [
    ['waiting', 'Pending approvals', waiting.length],
    ['working', 'In progress', working.length],
    ['glance', 'At a glance', 0, !hasPictures(data)],
    ['incidents', 'Lost networks', lost.length, !hasIncidents({ lost, incidents })],
    ['watched', 'Watched', (containers ?? []).filter(needsAttention).length],
    ['not-watched', 'Not watched', 0, notWatched.length === 0],
    ['kept', 'Retained containers', kept.length, kept.length === 0],
    ['history', 'History'],
    ['backups', 'Backups'],
    ['certificates', 'Certificates'],
    ['refused', 'Not offered again'],
    ['diun', 'Diun'],
    ['mails', 'Mails', undelivered.length],
    ['channels', 'Channels', 0, channels.length === 0],
    ['timers', 'Next runs', 0, timers.length === 0],
  ];
  const sections = all.filter(([, , , absent]) => absent !== true);
  return (
    <nav class="sections" aria-label="Sections">
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
