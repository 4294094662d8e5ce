import { formatBetween } from '../../domain/format';
import type { Step, StepName } from '../../domain/update';

const STEP_TITLES: Record<StepName, string> = {
  backup: 'Backup',
  pull: 'Pull',
  preflight: 'Preflight',
  move_data: 'Move the data directory',
  recreate: 'Recreate',
  rollout: 'Rollout',
  load_data: 'Load the databases',
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

export function stepDuration(step: Step): string | null {
  return formatBetween(step.startedAt, step.finishedAt);
}
