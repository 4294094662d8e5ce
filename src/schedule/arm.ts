import { scheduleJob, type Job } from 'node-schedule';

/** Calls `fire` once, at that time or as soon after as can be; what it returns calls it off. */
export type Arm = (at: Date, fire: () => void) => () => void;

/** By node-schedule, which also waits for longer than a timer of Node can. */
export const armWithNodeSchedule: Arm = (at, fire) => {
  // Null, whatever its types say, for a time that has just passed.
  const job = scheduleJob(at, fire) as Job | null;
  if (job !== null) return () => void job.cancel();
  const passed = setImmediate(fire);
  return () => clearImmediate(passed);
};
