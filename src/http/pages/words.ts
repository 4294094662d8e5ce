import type { UpdateStatus } from '../../domain/update';

export type Tone = 'good' | 'notice' | 'attention' | 'alarm' | 'quiet';

const TONES: Record<UpdateStatus, Tone> = {
  awaiting_approval: 'attention',
  queued: 'notice',
  running: 'notice',
  succeeded: 'good',
  failed: 'attention',
  rolled_back: 'attention',
  rollback_failed: 'alarm',
  declined: 'quiet',
  expired: 'quiet',
  superseded: 'quiet',
  ignored: 'quiet',
};

export function toneOf(status: UpdateStatus): Tone {
  return TONES[status];
}

const TONES_OF_WORK = {
  queued: 'notice',
  running: 'notice',
  succeeded: 'good',
  failed: 'alarm',
  pruned: 'quiet',
} as const;

/** Of a backup, a restore or a renewal: one that failed is a person's, nothing has put it right. */
export function toneOfWork(status: keyof typeof TONES_OF_WORK): Tone {
  return TONES_OF_WORK[status];
}

/** `rolled_back` → `Rolled back`; the live script does the same. */
export function inWords(code: string): string {
  const words = code.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long one of it is, its name, and how many are told in it. */
const UNITS: readonly [number, string, number][] = [
  [1000, 's', 60],
  [60_000, 'min', 60],
  [HOUR_MS, 'h', 48],
];

/** `12 s ago`, `5 min ago`, `9 h ago`, `4 days ago`; of the future `in …`. No more exact than a person asks. */
export function ago(time: string, now: Date): string {
  const ms = now.getTime() - Date.parse(time);
  const far = Math.abs(ms);
  if (far < 1000) return 'now';
  const [size, unit] = UNITS.find(([each, , most]) => far < each * most) ?? [DAY_MS, 'days'];
  const span = `${Math.floor(far / size)} ${unit}`;
  return ms >= 0 ? `${span} ago` : `in ${span}`;
}
