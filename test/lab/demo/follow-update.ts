import { Broken, eventually } from '../../support/eventually';
import type { Pilot } from '../pilot';
import type { Narrator } from './narrator';

interface ToldUpdate {
  id: string;
  container: string;
  status: string;
  reason: string;
  steps: { name: string; status: string; detail: string | null }[];
}

/** Why there is such a step; told when it is seen for the first time. */
const WHY: Record<string, string> = {
  backup: 'No verified backup, no update: the whole project, read back to its last byte.',
  pull: 'By digest: what Diun announced is what will run.',
  preflight: 'The new image is tried with the live configuration while the old one still serves.',
  recreate: 'The new container is made like the old one, compared with it, and started; the old one is kept.',
  health_check: 'Asked more than once: an image may look well for a second.',
  cleanup: 'Only now the old container goes.',
  rollback: 'The untouched old container is started again; it was never re-created.',
  rollback_health_check: 'A rollback is only called one when the old version is seen to serve.',
};

const IN_PROGRESS = ['queued', 'running'];

/** The next update of this container: its steps as they end, until it rests, at an end or waiting for the operator. */
export async function followUpdate(
  pilot: Pilot,
  narrator: Narrator,
  container: string,
  expected: string,
): Promise<ToldUpdate> {
  const id = await eventually('diun-pilot makes an update of what Diun said', () => newUpdate(pilot, container), {
    timeoutMs: 300_000,
    everyMs: 200,
  });
  return followUpdateById(pilot, narrator, id, expected);
}

export async function followUpdateById(
  pilot: Pilot,
  narrator: Narrator,
  id: string,
  expected: string,
): Promise<ToldUpdate> {
  const told = new Set<string>();
  const look = async () => {
    const update = (await pilot.get(`/updates/${id}`)) as ToldUpdate;
    tellSteps(update, told, narrator);
    if (IN_PROGRESS.includes(update.status)) return null;
    if (update.status !== expected) throw new Broken(`it is ${update.status}, not ${expected}: ${update.reason}`);
    return update;
  };
  const update = await eventually(`the update is ${expected}`, look, { timeoutMs: 900_000, everyMs: 100 });
  narrator.show(update.status, update.reason);
  return update;
}

/** Each chapter asks about a container whose earlier updates have all been told. */
const seen = new Set<string>();
const explained = new Set<string>();

async function newUpdate(pilot: Pilot, container: string): Promise<string | null> {
  const updates = (await pilot.updates(`?container=${container}`)) as ToldUpdate[];
  const fresh = updates.find(({ id, status }) => !seen.has(id) && status !== 'ignored');
  if (fresh) seen.add(fresh.id);
  return fresh?.id ?? null;
}

function tellSteps(update: ToldUpdate, told: Set<string>, narrator: Narrator): void {
  for (const { name, status, detail } of update.steps) {
    if (status === 'running' || told.has(name)) continue;
    told.add(name);
    if (WHY[name] && !explained.has(name)) narrator.tell(WHY[name]);
    explained.add(name);
    narrator.show(`${status === 'failed' ? '✗' : '✓'} ${name}`, detail ?? status);
  }
}
