import type { ComposeProject } from '../lab/compose';
import { about, recordedRequest, send, type RecordedAnswer } from '../lab/diun/recorded-requests';
import type { Pilot } from '../lab/pilot';
import { Broken, eventually } from './eventually';

/** An update as `GET /updates/:id` gives it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type UpdateTold = Record<string, any>;

const OPEN = ['queued', 'running'];

/** Sends what Diun would send: by default a request that was recorded for a new digest of a tag. */
export function announce(
  pilot: Pilot,
  image: string,
  digest: string,
  recorded = 'update-same-tag-first-container',
): Promise<RecordedAnswer> {
  return send(about(recordedRequest(recorded), { image, digest }), pilot.url, `Bearer ${pilot.webhookToken}`);
}

/** The update of this container to this digest, as soon as there is one. */
export function updateTo(pilot: Pilot, container: string, digest: string): Promise<UpdateTold> {
  const found = (): Promise<UpdateTold | undefined> => {
    mustRun(pilot);
    return findUpdate(pilot, container, digest);
  };
  return eventually(`an update of ${container} to ${digest}`, found);
}

/** What has ended answers no more, however long one waits. */
function mustRun(pilot: Pilot): void {
  if (!pilot.running) throw new Broken(`diun-pilot ended:\n${pilot.lines().slice(-15).join('\n')}`);
}

/** The same, once it has an end or waits for a person. */
export async function endOfUpdate(
  pilot: Pilot,
  container: string,
  digest: string,
  timeoutMs = 300_000,
): Promise<UpdateTold> {
  const ended = async () => {
    mustRun(pilot);
    const update = await findUpdate(pilot, container, digest);
    if (update && !OPEN.includes(String(update['status']))) return update;
    throw new Error(update ? `${update['status']}: ${JSON.stringify(update['steps'])}` : 'there is no such update');
  };
  return eventually(`the update of ${container} to ${digest} ends`, ended, { timeoutMs });
}

export async function endOf(pilot: Pilot, id: string, timeoutMs = 300_000): Promise<UpdateTold> {
  const ended = async () => {
    mustRun(pilot);
    const update = (await pilot.get(`/updates/${id}`)) as UpdateTold;
    if (!OPEN.includes(String(update['status']))) return update;
    throw new Error(`${update['status']}: ${JSON.stringify(update['steps'])}`);
  };
  return eventually(`update ${id} ends`, ended, { timeoutMs });
}

/** `backup skipped`, `pull succeeded`, …, in order. */
export function stepsOf(update: UpdateTold): string[] {
  return (update['steps'] as { name: string; status: string }[]).map(({ name, status }) => `${name} ${status}`);
}

/** The page that a service serves, once it serves one. */
export async function pageOf(project: ComposeProject, service: string): Promise<string> {
  return pageAt(await project.url(service, 80));
}

/** Once it answers with 2xx: a reverse proxy answers 502 as long as what is behind it does not listen yet. */
export function pageAt(url: string): Promise<string> {
  const read = async () => {
    const answer = await fetch(url);
    const page = await answer.text();
    if (!answer.ok) throw new Error(`it answers ${answer.status}: ${page}`);
    return page;
  };
  return eventually(`${url} serves a page`, read);
}

/** Subjects of the mails that speak of this container, in order, once there are that many. */
export async function mailsAbout(pilot: Pilot, container: string, atLeast: number): Promise<string[]> {
  const subjects = async () =>
    (await pilot.mails()).map(({ subject }) => subject ?? '').filter((subject) => subject.includes(container));
  return eventually(
    `${atLeast} mails about ${container}`,
    async () => {
      const found = await subjects();
      if (found.length < atLeast) throw new Error(`only ${JSON.stringify(found)}`);
      return found;
    },
    // A mail that requests an approval waits for the rehearsal.
    { timeoutMs: 600_000 },
  );
}

async function findUpdate(pilot: Pilot, container: string, digest: string): Promise<UpdateTold | undefined> {
  const updates = (await pilot.updates(`?container=${container}`)) as UpdateTold[];
  return updates.find((update) => update['to'].digest === digest);
}
