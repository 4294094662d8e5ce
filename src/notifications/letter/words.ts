import type { Step, StepName } from '../../domain/update';

const STEP_TITLES: Record<StepName, string> = {
  backup: 'Backup',
  pull: 'Pull',
  preflight: 'Preflight',
  recreate: 'Recreate',
  health_check: 'Health check',
  cleanup: 'Cleanup',
  rollback: 'Rollback',
  rollback_health_check: 'Health check of the rollback',
  restore: 'Restore',
  restore_health_check: 'Health check of the restore',
};

export function stepTitle(name: StepName): string {
  return STEP_TITLES[name];
}

/** `850 ms`, `12 s`, `3 min 5 s`, `1 h 2 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Null while either end is unknown. */
export function between(from: string | null | undefined, to: string | null | undefined): string | null {
  return from && to ? duration(Date.parse(to) - Date.parse(from)) : null;
}

export function stepDuration(step: Step): string | null {
  return between(step.startedAt, step.finishedAt);
}

/** `812 B`, `12.4 MiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `2026-11-23 03:00:10 UTC`. */
export function utc(time: string): string {
  return `${time.slice(0, 19).replace('T', ' ')} UTC`;
}
