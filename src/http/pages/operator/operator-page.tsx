import type { JSX } from 'preact';
import { formatMinute, formatTime, plural } from '../../../domain/format';
import { oneLine } from '../../../notifications/letter/clean';
import { BackupTrends } from '../charts/backup-trend';
import { CertificateDays } from '../charts/certificate-days';
import { Downtimes } from '../charts/downtimes';
import { UpdateTimeline } from '../charts/update-timeline';
import { Observes, page } from '../layout';
import { ago } from '../words';
import { Attention, problemsOf } from './attention';
import { Backups } from './backups';
import { Certificates } from './certificates';
import { needsAttention, NotWatched, Watched } from './watched';
import type { OperatorData } from './operator-data';
import { Channels, Diun, Mails, Refused, Timers } from './records';
import { Table } from './table';
import { History, Waiting, Working } from './work';
import { CHECK_NAMES } from '../../../diagnosis/health-report';

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
    ['kept', 'Kept containers', kept.length, kept.length === 0],
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

/** The first line of the page: whether the operator is needed at all; then how things stand. */
function State(data: OperatorData): JSX.Element {
  const needed = neededFor(data);
  return (
    <>
      <h1>{needed.length === 0 ? `All well: ${standing(data).slice(0, 2).join(', ')}` : needed.join(', ')}</h1>
      <p class="small">{[...standing(data).slice(needed.length === 0 ? 2 : 0), ...checks(data)].join(' · ')}</p>
    </>
  );
}

/** `2 updates need your decision`; empty: nothing needs the operator. */
function neededFor(data: OperatorData): string[] {
  const decisions = data.waiting.length;
  const problems = problemsOf(data);
  return [
    ...(decisions === 0 ? [] : [`${plural(decisions, 'update')} ${decisions === 1 ? 'needs' : 'need'} your decision`]),
    ...(problems === 0 ? [] : [`${plural(problems, 'problem')} ${problems === 1 ? 'needs' : 'need'} attention`]),
  ];
}

function standing({ containers, pastBackups, working, now }: OperatorData): string[] {
  const watched = containers?.filter(({ container }) => container.labels.watched).length;
  const good = pastBackups.flatMap(({ status, finishedAt }) => (status === 'succeeded' ? [finishedAt] : []));
  const last = good.sort().at(-1);
  return [
    watched === undefined ? 'the containers are not known' : `${plural(watched, 'container')} watched`,
    last === undefined ? 'no backup yet' : `last backup ${formatMinute(last)} (${ago(last, now)})`,
    working.length === 0 ? 'no update in progress' : `${plural(working.length, 'update')} in progress`,
  ];
}

function checks(data: OperatorData): string[] {
  return problemsOf(data) === 0 ? [`All checks passed: ${CHECK_NAMES.join(', ')}`] : [];
}

/** Pictures of what the store has; nothing on a host on which nothing has happened yet. */
function AtAGlance(data: OperatorData): JSX.Element | null {
  if (!hasPictures(data)) return null;
  const { pastUpdates, pastBackups, certificates, now } = data;
  return (
    <section aria-labelledby="glance">
      <h2 id="glance">At a glance</h2>
      <div class="charts">
        <UpdateTimeline past={pastUpdates} now={now} />
        <Downtimes past={pastUpdates} title="Downtime of the latest updates" />
        <CertificateDays certificates={certificates} now={now} />
        <BackupTrends past={pastBackups} />
      </div>
    </section>
  );
}

function hasPictures({
  pastUpdates,
  pastBackups,
  certificates,
}: Pick<OperatorData, 'pastUpdates' | 'pastBackups' | 'certificates'>): boolean {
  return pastUpdates.length + pastBackups.length + certificates.length > 0;
}

/** Containers that lost a shared network: those that need the operator, and those re-attached automatically. Empty without any. */
function Incidents({ lost, incidents, now }: OperatorData): JSX.Element | null {
  if (!hasIncidents({ lost, incidents })) return null;
  const open = lost.map(({ subject, since, words }) => ({ container: subject, at: since, words, needed: true }));
  const repaired = incidents.map((incident) => ({ ...incident, needed: false }));
  return (
    <section aria-labelledby="incidents">
      <h2 id="incidents">Lost networks</h2>
      <Table
        caption="Containers that lost their network"
        columns={['Container', 'Status', 'When', 'What']}
        rows={[...open, ...repaired].map(({ container, at, words, needed }) => [
          oneLine(container),
          <span class={`badge ${needed ? 'alarm' : 'good'}`}>{needed ? 'Action required' : 'Repaired'}</span>,
          ago(at, now),
          oneLine(words, 400),
        ])}
        empty=""
        first={Math.max(1, lost.length)}
        rest="repaired earlier"
      />
    </section>
  );
}

function hasIncidents({ lost, incidents }: Pick<OperatorData, 'lost' | 'incidents'>): boolean {
  return lost.length + incidents.length > 0;
}

/** Stopped containers and data directories that are kept after their update, with the time of their removal. */
function KeptContainers({ kept }: Pick<OperatorData, 'kept'>): JSX.Element | null {
  if (kept.length === 0) return null;
  return (
    <section aria-labelledby="kept">
      <h2 id="kept">Kept containers</h2>
      <Table
        caption="Stopped containers and data directories that are kept after their update"
        columns={['Container', 'Status', 'Removal', 'Why']}
        rows={kept.map(({ name, reason, leftover, keepUntil }) => [
          oneLine(name),
          <span class={`badge ${leftover ? 'alarm' : 'good'}`}>{leftover ? 'Left over' : 'Kept'}</span>,
          formatTime(keepUntil),
          oneLine(reason, 1000),
        ])}
        empty=""
        first={kept.length}
        rest="kept"
      />
    </section>
  );
}
