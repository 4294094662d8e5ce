import { DAY_MS, formatTimeout, parseDuration } from '../format';
import { whyPatternIsInvalid } from '../images/tags';
import type { Jump } from '../images/version-jump';
import { nearestName } from '../text/nearest-name';
import type {
  BackupSpec,
  ContainerLabels,
  LabelProblem,
  Policy,
  ProbeSpec,
  Quiesce,
  Rehearse,
  Strategy,
} from './container-labels';
import { NOTE_FLAGS } from '../notes/release-notes';
import { readSource } from '../notes/source';
import { readWindow } from '../decision/update-window';
import { readVerify } from '../signatures/signature';
import { parseFlag } from './parse-flag';
import { readProbe } from './read-probe';
import { withoutTrailingSlashes } from '../text/trailing-slashes';

const POLICIES: readonly Policy[] = ['automatic', 'manual', 'ignore'];
const JUMPS: readonly Jump[] = ['digest', 'patch', 'minor', 'major'];
const STRATEGIES: readonly Strategy[] = ['recreate', 'handover'];
const QUIESCE: readonly Quiesce[] = ['auto', 'never', 'allowed'];
const REHEARSE: readonly Rehearse[] = ['auto', 'always', 'off'];
const ROLES = ['certbot', 'server'] as const;
/** All but `diun.enable`, which Diun defines. */
export const KNOWN_LABELS: readonly string[] = [
  'update.policy',
  'update.allow',
  'update.strategy',
  'update.probe',
  'update.probe.timeout',
  'update.allow-database',
  'update.window',
  'update.min-age',
  'update.soak',
  'update.keep-images',
  'update.stack-file',
  'update.notes',
  'update.ask-on',
  'update.rehearse',
  'update.verify',
  'backup.kind',
  'backup.paths',
  'backup.quiesce',
  'renewal.role',
];
const OURS = /^(?:update|backup|renewal)\./;
/** Of `update.probe.timeout`. */
export const DEFAULT_PROBE_TIMEOUT_MS = 120_000;
const TEN_MINUTES = 600_000;
const LONGEST_TIMEOUT = DAY_MS;
const LONGEST_MIN_AGE = 365 * DAY_MS;
const LONGEST_SOAK = 30 * DAY_MS;
const CANNOT_START = 'until that is fixed, every update of this container needs approval';

/** One container's own labels while they are read, with what is wrong about them. */
class LabelReader {
  readonly problems: LabelProblem[] = [];
  /** A guard that the operator requested cannot be applied, so nothing may start automatically. */
  weakened = false;
  constructor(private readonly own: Readonly<Record<string, string>>) {}

  /** Surrounding blanks are no part of a value; an empty value is a value. */
  text(label: string): string | undefined {
    return Object.hasOwn(this.own, label) ? this.own[label]?.trim() : undefined;
  }

  names(): string[] {
    return Object.keys(this.own);
  }

  problem(label: string, message: string): void {
    this.problems.push({ label, value: (this.own[label] ?? '').slice(0, 200), message });
  }

  weakens(label: string, message: string): void {
    this.weakened = true;
    this.problem(label, `${message}; ${CANNOT_START}.`);
  }

  oneOf<T extends string>(label: string, values: readonly T[], missing: T, unknown: T): T {
    const text = this.text(label);
    if (text === undefined) return missing;
    const value = values.find((known) => known === text);
    if (value === undefined) this.problem(label, `must be one of ${values.join(', ')}; taken as ${unknown}.`);
    return value ?? unknown;
  }

  flag(label: string): boolean | undefined {
    const text = this.text(label);
    if (text === undefined) return undefined;
    const flag = parseFlag(text);
    if (flag === null) this.problem(label, 'must be true or false; taken as false.');
    return flag ?? false;
  }
}

/**
 * Reads a container's own labels (docs/labels.md; `own-labels.ts`). Never throws: an invalid value gets the
 * careful default and a problem as text. Where the unreadable label was to hold an update back (a backup, a probe, a
 * misspelt name), the careful default is that `automatic` becomes `manual`.
 */
export function readLabels(own: Readonly<Record<string, string>>): ContainerLabels {
  const labels = new LabelReader(own);
  const probe = readProbeLabel(labels);
  const rest: Omit<ContainerLabels, 'policy' | 'problems'> = {
    watched: labels.flag('diun.enable') ?? false,
    allow: labels.oneOf('update.allow', JUMPS, 'minor', 'digest'),
    strategy: labels.oneOf('update.strategy', STRATEGIES, 'recreate', 'recreate'),
    probe,
    ...readTimeout(labels, probe.kind === 'gitea' ? TEN_MINUTES : DEFAULT_PROBE_TIMEOUT_MS),
    allowDatabase: labels.flag('update.allow-database') ?? false,
    backup: readBackup(labels),
    quiesce: labels.oneOf('backup.quiesce', QUIESCE, 'auto', 'auto'),
    rehearse: labels.oneOf('update.rehearse', REHEARSE, 'auto', 'auto'),
    ...readWindowLabel(labels),
    ...readMinAge(labels),
    ...readSoak(labels),
    ...readKeepImages(labels),
    ...readNotes(labels),
    ...readAskOn(labels),
    ...readVerifyLabel(labels),
    renewalRole: readRole(labels),
    watchRepo: labels.flag('diun.watch_repo'),
    includeTags: readPatterns(labels, 'diun.include_tags'),
    excludeTags: readPatterns(labels, 'diun.exclude_tags'),
  };
  reportUnknownNames(labels);
  const policy = labels.oneOf('update.policy', POLICIES, 'manual', 'manual');
  return {
    ...rest,
    policy: labels.weakened && policy === 'automatic' ? 'manual' : policy,
    problems: labels.problems,
  };
}

function readProbeLabel(labels: LabelReader): ProbeSpec {
  const text = labels.text('update.probe');
  if (text === undefined) return { kind: 'docker' };
  const read = readProbe(text);
  if ('kind' in read) return read;
  labels.weakens('update.probe', `${read.problem}; Docker's own state is asked instead`);
  return { kind: 'docker' };
}

function readTimeout(
  labels: LabelReader,
  missing: number,
): Pick<ContainerLabels, 'probeTimeoutMs' | 'probeTimeoutIsSet'> {
  const unset = { probeTimeoutMs: missing, probeTimeoutIsSet: false };
  const text = labels.text('update.probe.timeout');
  if (text === undefined) return unset;
  const ms = parseDuration(text);
  if (ms !== null && ms <= LONGEST_TIMEOUT) return { probeTimeoutMs: ms, probeTimeoutIsSet: true };
  const wanted = ms === null ? 'must be a duration such as 90s or 10m' : 'must be at most 24h';
  labels.problem('update.probe.timeout', `${wanted}; taken as ${formatTimeout(missing)}.`);
  return unset;
}

/** A window that cannot be read would let everything start at any time. */
function readWindowLabel(labels: LabelReader): Pick<ContainerLabels, 'window'> {
  const text = labels.text('update.window');
  if (text === undefined) return {};
  if (text === 'any') return { window: null };
  const window = readWindow(text);
  if (!('problem' in window)) return { window };
  labels.weakens('update.window', window.problem);
  return { window: null };
}

function readMinAge(labels: LabelReader): Pick<ContainerLabels, 'minAgeMs'> {
  const text = labels.text('update.min-age');
  if (text === undefined) return {};
  const minAgeMs = text === '0' ? 0 : parseDuration(text);
  if (minAgeMs !== null && minAgeMs <= LONGEST_MIN_AGE) return { minAgeMs };
  labels.weakens('update.min-age', 'must be 0, or a duration such as 12h or 3d, at most 365d');
  return { minAgeMs: 0 };
}

/** Without it, a version that fails later would not be rolled back. */
function readSoak(labels: LabelReader): Pick<ContainerLabels, 'soakMs'> {
  const text = labels.text('update.soak');
  if (text === undefined || text === '0') return {};
  const soakMs = parseDuration(text);
  if (soakMs !== null && soakMs <= LONGEST_SOAK) return { soakMs };
  labels.weakens('update.soak', 'must be 0, or a duration with a unit such as 30m or 12h, at most 30d');
  return {};
}

/** Without a number nothing is removed, so an unreadable one holds no update up. */
function readKeepImages(labels: LabelReader): Pick<ContainerLabels, 'keepImages'> {
  const text = labels.text('update.keep-images');
  if (text === undefined) return {};
  if (/^\d{1,3}$/.test(text)) return { keepImages: Number(text) };
  labels.problem('update.keep-images', 'must be a number from 0 to 999; no image is removed.');
  return { keepImages: 999 };
}

/** Without notes, `update.ask-on` asks, so an unreadable address weakens nothing. */
function readNotes(labels: LabelReader): Pick<ContainerLabels, 'notes'> {
  const text = labels.text('update.notes');
  if (text === undefined) return {};
  if (readSource(text) !== null) return { notes: text };
  labels.problem('update.notes', 'must be the http(s) address of a repository or a changelog; no notes are read.');
  return { notes: null };
}

function readAskOn(labels: LabelReader): Pick<ContainerLabels, 'askOn'> {
  const text = labels.text('update.ask-on');
  if (text === undefined) return {};
  const words = text.split(',').map((word) => word.trim());
  const askOn = NOTE_FLAGS.filter((flag) => words.includes(flag));
  if (words.every((word) => askOn.some((flag) => flag === word))) return { askOn };
  labels.weakens('update.ask-on', `must be a list of ${NOTE_FLAGS.join(', ')}`);
  return { askOn };
}

/** The operator wanted a check that cannot be made, so every update waits for approval. */
function readVerifyLabel(labels: LabelReader): Pick<ContainerLabels, 'verify'> {
  const text = labels.text('update.verify');
  if (text === undefined) return {};
  const verify = readVerify(text);
  if (!('problem' in verify)) return { verify };
  labels.weakens('update.verify', `${verify.problem}; only PILOT_VERIFY counts`);
  return {};
}

function readBackup(labels: LabelReader): BackupSpec | null {
  const kind = labels.text('backup.kind');
  const paths = labels.text('backup.paths');
  if (kind === 'files') return readPaths(labels, paths);
  if (kind !== undefined && kind !== 'postgres') {
    labels.weakens('backup.kind', 'must be postgres or files; nothing of this container is backed up');
    return null;
  }
  if (paths !== undefined) labels.weakens('backup.paths', 'needs backup.kind=files; these paths are not backed up');
  return kind === 'postgres' ? { kind } : null;
}

function readPaths(labels: LabelReader, text: string | undefined): BackupSpec | null {
  const paths = (text ?? '').split(',').map((path) => path.trim());
  const named = [...new Set(paths.filter((path) => path !== '').map(withoutTrailingSlash))];
  const wrong = named.filter((path) => !isArchivable(path));
  const right = named.filter(isArchivable);
  if (named.length === 0) {
    const label = text === undefined ? 'backup.kind' : 'backup.paths';
    labels.weakens(label, 'backup.kind=files needs backup.paths, such as /data,/etc/gitea; nothing is backed up');
  } else if (wrong.length > 0) {
    labels.weakens('backup.paths', `must be absolute paths below / without ..; not backed up: ${wrong.join(', ')}`);
  }
  return right.length === 0 ? null : { kind: 'files', paths: right };
}

/** The root is refused because it holds /proc and /sys. */
function isArchivable(path: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  return /^\/[^\u0000-\u001f\u007f]+$/.test(path) && !path.split('/').includes('..');
}

function withoutTrailingSlash(path: string): string {
  return path === '/' ? path : withoutTrailingSlashes(path);
}

function readRole(labels: LabelReader): ContainerLabels['renewalRole'] {
  const text = labels.text('renewal.role');
  if (text === undefined) return null;
  const role = ROLES.find((known) => known === text);
  if (role === undefined) labels.problem('renewal.role', `must be one of ${ROLES.join(', ')}; taken as none.`);
  return role ?? null;
}

function readPatterns(labels: LabelReader, label: string): string[] {
  const patterns = (labels.text(label) ?? '').split(';').filter((pattern) => pattern !== '');
  for (const pattern of patterns) {
    const why = whyPatternIsInvalid(pattern);
    if (why !== null) labels.problem(label, `${pattern.slice(0, 200)}: ${why}; it lets no other tag through.`);
  }
  return patterns;
}

function reportUnknownNames(labels: LabelReader): void {
  for (const name of labels.names().filter((known) => OURS.test(known) && !KNOWN_LABELS.includes(known))) {
    const meant = nearestName(name, KNOWN_LABELS);
    const message = `unknown label${meant === null ? '' : ` (did you mean ${meant}?)`}`;
    if (name.startsWith('renewal.')) labels.problem(name, `${message}.`);
    else labels.weakens(name, message);
  }
}
