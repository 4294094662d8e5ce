import { awaySince, type Step, type Verdict } from './update';

/** An update that ran, in brief: for pictures, and for what to expect of the next one. */
export interface PastUpdate {
  id: string;
  container: string;
  /** The image that it was to. */
  reference: string;
  status: Verdict;
  /** ISO 8601. */
  finishedAt: string;
  /** How long its users may have missed the container, in seconds; null: not known, or it was never replaced. */
  awaySeconds: number | null;
}

/** How a run went, as far as its time without service depends on it. */
export interface RunSeen {
  status: Verdict;
  steps: Pick<Step, 'name' | 'status' | 'startedAt' | 'finishedAt'>[];
  /** The containers were stopped for the backup. */
  quiesced: boolean;
  /** The old container served until the new one was healthy, or throughout: a handover. */
  served: boolean;
}

const CHECK_OF: Partial<Record<Verdict, readonly Step['name'][]>> = {
  succeeded: ['health_check'],
  rolled_back: ['rollback_health_check', 'restore_health_check'],
};

/** From its stop until a container of its name was healthy again, in seconds: at most that long it was missed. */
export function awaySeconds({ status, steps, quiesced, served }: RunSeen): number | null {
  if (served) return 0;
  const since = awaySince({ steps }, { quiesced });
  const checks = steps.filter((step) => CHECK_OF[status]?.includes(step.name) && step.status === 'succeeded');
  const until = checks.at(-1)?.finishedAt;
  return since && until ? Math.max(0, (Date.parse(until) - Date.parse(since)) / 1000) : null;
}
