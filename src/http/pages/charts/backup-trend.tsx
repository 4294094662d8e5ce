import { keyOfPlace, type PastBackup, scopeName } from '../../../domain/backups/backup';
import type { ComponentChildren, JSX } from 'preact';
import { formatBytes, formatDay, formatDuration, formatMinute, plural } from '../../../domain/format';
import { Table } from '../operator/table';
import { Figure, Label, round, WIDTH } from './figure';

const MOST_SETS = 3;
const MOST_BACKUPS = 30;
const WIDEST = 18;
const PANEL = { size: { top: 16, height: 62 }, duration: { top: 98, height: 34 } };
const HEIGHT = 150;

/** Sizes and durations over time, of the sets that store the most; nothing without a good backup. */
export function BackupTrends({ past }: { past: readonly PastBackup[] }): JSX.Element {
  const sets = setsOf([...past].sort((a, b) => b.finishedAt.localeCompare(a.finishedAt)))
    .filter((set) => largest(set) > 0)
    .sort((a, b) => largest(b) - largest(a))
    .slice(0, MOST_SETS);
  return (
    <>
      {sets.map((set, index) => (
        <BackupTrend {...set} id={`chart-backups-${index}`} />
      ))}
    </>
  );
}

interface BackupSeries {
  name: string;
  /** Oldest first. */
  backups: PastBackup[];
}

function setsOf(past: readonly PastBackup[]): BackupSeries[] {
  const sets = new Map<string, BackupSeries>();
  for (const backup of past) {
    const key = keyOfPlace(backup);
    const set = sets.get(key) ?? { name: scopeName(backup), backups: [] };
    if (set.backups.length < MOST_BACKUPS) set.backups.unshift(backup);
    sets.set(key, set);
  }
  return [...sets.values()];
}

function largest({ backups }: BackupSeries): number {
  return Math.max(0, ...backups.map(({ bytes }) => bytes ?? 0));
}

function BackupTrend({ id, name, backups }: BackupSeries & { id: string }): JSX.Element {
  const sizes = backups.map(({ bytes }) => bytes ?? 0);
  const seconds = backups.map((backup) => backup.seconds ?? 0);
  const longest = Math.max(...seconds);
  const [first, last] = [backups[0], backups.at(-1)];
  return (
    <Figure
      id={id}
      title={`Backups of ${name}`}
      description={describe(backups)}
      height={HEIGHT}
      legend={backups.some(({ status }) => status === 'failed') ? 'A cross: that backup failed.' : undefined}
      numbers={<Numbers backups={backups} />}
    >
      <Label x={0} y={11} text={`Size, up to ${formatBytes(Math.max(...sizes))}`} />
      <Columns values={sizes} backups={backups} {...PANEL.size} tone="notice" />
      <Label
        x={0}
        y={93}
        text={longest > 0 ? `Duration, up to ${formatDuration(longest * 1000)}` : 'Duration: not known'}
      />
      <Columns values={seconds} backups={backups} {...PANEL.duration} tone="good" />
      <Label x={0} y={HEIGHT - 4} text={first ? formatDay(first.finishedAt) : ''} soft />
      {backups.length > 1 ? <Label x={WIDTH} y={HEIGHT - 4} text={formatDay(last?.finishedAt ?? '')} end soft /> : null}
    </Figure>
  );
}

interface ColumnsProps {
  values: number[];
  backups: PastBackup[];
  top: number;
  height: number;
  tone: 'notice' | 'good';
}

/** From zero, so that twice as high is twice as much. A failed backup is a cross on the base line. */
function Columns({ values, backups, top, height, tone }: ColumnsProps): JSX.Element {
  const most = Math.max(...values, 1e-9);
  const step = values.length < 2 ? WIDEST : Math.min(WIDEST * 2, (WIDTH - WIDEST) / (values.length - 1));
  const width = round(Math.min(WIDEST, step * 0.7));
  const base = top + height;
  return (
    <>
      <path class="line" d={`M0 ${base}h${WIDTH}`} />
      {values.map((value, index) => {
        const x = round(values.length < 2 ? 0 : index * step);
        if (backups[index]?.status === 'failed') {
          return <path class="alarm stroke" d={`M${x} ${base - 9}l7 7m0 -7l-7 7`} />;
        }
        const tall = round(Math.max(1, (value / most) * height));
        return <rect class={tone} x={x} y={round(base - tall)} width={width} height={tall} />;
      })}
    </>
  );
}

function describe(backups: PastBackup[]): string {
  const good = backups.filter(({ status }) => status === 'succeeded');
  const failed = backups.length - good.length;
  const count = `${plural(backups.length, 'backup')}${failed === 0 ? '' : `, ${failed} of them failed`}.`;
  const newest = good.at(-1);
  if (newest === undefined) return count;
  const sizes = good.map(({ bytes }) => bytes ?? 0);
  const seconds = good.map((backup) => (backup.seconds ?? 0) * 1000);
  const range = (values: number[], format: (value: number) => string): string =>
    `from ${format(Math.min(...values))} to ${format(Math.max(...values))}`;
  return `${count} Size ${range(sizes, formatBytes)}, the newest ${formatBytes(newest.bytes ?? 0)}. Duration ${range(seconds, formatDuration)}, the newest ${formatDuration((newest.seconds ?? 0) * 1000)}.`;
}

function Numbers({ backups }: { backups: PastBackup[] }): JSX.Element {
  return (
    <Table
      caption="These backups, newest first"
      columns={['When', 'Status', 'Size', 'Duration']}
      rows={[...backups]
        .reverse()
        .map(({ finishedAt, status, bytes, seconds }): ComponentChildren[] => [
          formatMinute(finishedAt),
          status,
          bytes === null ? null : formatBytes(bytes),
          seconds === null ? null : formatDuration(seconds * 1000),
        ])}
      empty=""
    />
  );
}
