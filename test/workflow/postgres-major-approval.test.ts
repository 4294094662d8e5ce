import { decideApproval, decideById } from '../../src/decisions/approve';
import { approvalUrl } from '../../src/decisions/approval-links';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { reofferChanged } from '../../src/decisions/reoffer';
import { requestUpdate } from '../../src/decisions/request-update';
import { requestRehearsal } from '../../src/rehearsals/run-next-rehearsal';
import type { Verdict } from '../../src/domain/rehearsal/rehearsal';
import type { Update } from '../../src/domain/update';
import { announceVerdict } from '../../src/decisions/mail-of-offer';
import { runForge, type Forge } from '../support/forge-scene';

// A new PostgreSQL major never starts without an approval, and none is possible before a rehearsal has passed.

const DB = 'forge-db-1';
let forge: Forge;
let digest: string;
beforeEach(() => {
  forge = runForge();
  digest = forge.scene.engine.publish('postgres:17', { config: { Env: ['PG_MAJOR=17'] } }).digest;
});
afterEach(() => {
  forge.scene.close();
});

const request = (): Promise<Update> => requestUpdate(forge.scene.deps, { container: DB, image: 'postgres:17' });
const rehearsal = (id: string) => forge.scene.store.rehearsals.of(id);
const mails = () =>
  forge.scene.mails().map(({ kind, text, subject }) => ({ kind, subject, text: text.replace(/\s+(?:!! )?/g, ' ') }));
const byLink = (update: Update, decision: 'approve' | 'window' | 'decline' = 'approve') => {
  const token = approvalUrl(forge.scene.deps, update).split('/approvals/')[1] ?? '';
  return decideApproval(forge.scene.deps, token, { decision, name: DB });
};

/** As if it had been rehearsed. */
function end(id: string, status: Verdict['status'], detail = 'It was tried.'): void {
  const last = rehearsal(id);
  if (last === null) throw new Error('no rehearsal was requested');
  forge.scene.store.rehearsals.begin(last.id);
  announceVerdict(forge.scene.deps, last.id, { status, seconds: null, detail });
}

it('is a request for approval, also when the operator requests it, whose mail waits for the rehearsal', async () => {
  const update = await request();
  expect(update).toMatchObject({ status: 'awaiting_approval', source: 'operator', approval: { status: 'waiting' } });
  expect(update.reason).toContain('a passed rehearsal first (PostgreSQL 15 to 17)');
  expect(forge.scene.store.updates.plan(update.id)?.newMajor).toEqual({ from: '15', to: '17', change: null });
  expect(rehearsal(update.id)).toMatchObject({ status: 'queued', digest });
  expect(mails()).toEqual([]);
  end(update.id, 'passed');
  expect(mails()).toMatchObject([{ kind: 'critical_update_available' }]);
  expect(mails()[0]?.text).toContain('The passed rehearsal counts for 24 hours.');
  expect(mails()[0]?.text).toContain('diun-pilot approve');
});

it('is one also with the policy automatic and every label that allows it', async () => {
  forge.scene.close();
  forge = runForge({
    dbLabels: {
      'update.policy': 'automatic',
      'update.allow': 'major',
      'update.allow-database': 'true',
      'update.rehearse': 'off',
    },
  });
  const { digest: found } = forge.scene.engine.publish('postgres:17', { config: { Env: ['PG_MAJOR=17'] } });
  forge.scene.hear('docker.io/library/postgres:17', found);
  await handleInbox(forge.scene.deps);
  const update = forge.scene.updates().at(-1) as Update;
  expect(update).toMatchObject({ status: 'awaiting_approval', source: 'diun' });
  expect(rehearsal(update.id)?.status).toBe('queued');
});

describe.each<[string, (update: Update) => unknown, string]>([
  ['has not ended', () => undefined, 'The rehearsal has not ended yet'],
  ['failed', ({ id }) => end(id, 'failed'), 'The last rehearsal failed'],
  ['is inconclusive', ({ id }) => end(id, 'inconclusive'), 'The last rehearsal was inconclusive'],
  ['was skipped', ({ id }) => end(id, 'skipped'), 'The last rehearsal was skipped'],
  [
    'passed longer than a day ago',
    async ({ id }) => {
      end(id, 'passed');
      await forge.scene.clock.advance(25 * 3_600_000);
    },
    'The rehearsal is older than 24 hours',
  ],
])('while the rehearsal %s', (_what, prepare, words) => {
  let update: Update;
  beforeEach(async () => {
    update = await request();
    await prepare(update);
  });
  const stays = (): void =>
    expect(forge.scene.store.updates.get(update.id)).toMatchObject({
      status: 'awaiting_approval',
      approval: { status: 'waiting' },
    });

  it('the link approves nothing, by either button', async () => {
    for (const decision of ['approve', 'window'] as const)
      expect(await byLink(update, decision).catch((error: Error) => error)).toMatchObject(
        decision === 'approve'
          ? { kind: 'not_yet', notYet: { code: 'rehearsal_required', reason: expect.stringContaining(words) } }
          : { code: 'no_window' },
      );
    stays();
  });

  it('the page, the API and the command line approve nothing', async () => {
    for (const by of ['page', 'api', 'cli:0'] as const)
      await expect(decideById(forge.scene.deps, update.id, 'approve', by)).rejects.toMatchObject({
        code: 'rehearsal_required',
        message: expect.stringContaining(words),
      });
    stays();
  });

  it('a second request approves nothing, and has it rehearsed', async () => {
    const again = await request();
    expect(again.id).toBe(update.id);
    stays();
    expect(rehearsal(update.id)?.status).toBe('queued');
  });

  it('it can be declined', async () => {
    expect(await byLink(update, 'decline')).toMatchObject({ kind: 'declined' });
  });
});

it('a failed one says so in the mail, with no command that approves', async () => {
  const update = await request();
  end(update.id, 'failed', 'Database app uses the extension postgis.');
  const [mail] = mails();
  expect(mail?.subject).toContain('its rehearsal failed');
  expect(mail?.text).toContain('You cannot approve this update yet. PostgreSQL 17 needs a passed rehearsal first');
  expect(mail?.text).toContain(`diun-pilot rehearse ${update.id}`);
  expect(mail?.text).not.toMatch(/diun-pilot approve|You can still approve/);
});

it.each(['link', 'cli:0', 'request'] as const)('once it passed, it is approved (%s)', async (by) => {
  const update = await request();
  end(update.id, 'failed');
  requestRehearsal(forge.scene.deps, update.id);
  end(update.id, 'passed');
  if (by === 'link') await byLink(update);
  else if (by === 'request') await request();
  else await decideById(forge.scene.deps, update.id, 'approve', by);
  expect(forge.scene.store.updates.get(update.id)).toMatchObject({
    status: 'queued',
    approval: { status: 'approved' },
  });
});

it('a digest that the tag no longer has is not approved by the rehearsal of another', async () => {
  const update = await request();
  end(update.id, 'passed');
  forge.scene.engine.publish('postgres:17', { logs: ['newer'], config: { Env: ['PG_MAJOR=17'] } });
  expect(await byLink(update)).toMatchObject({ kind: 'moved' });
  const newer = forge.scene.updates().at(-1) as Update;
  expect(newer.id).not.toBe(update.id);
  await expect(decideById(forge.scene.deps, newer.id, 'approve', 'cli:0')).rejects.toMatchObject({
    code: 'rehearsal_required',
  });
});

it('waits until the compose file is changed for an image that keeps its data elsewhere', async () => {
  forge.scene.engine.publish('postgres:18', {
    config: { Env: ['PG_MAJOR=18', 'PGDATA=/var/lib/postgresql/18/docker'] },
  });
  const update = await requestUpdate(forge.scene.deps, { container: DB, image: 'postgres:18' });
  end(update.id, 'passed');
  const line = 'PGDATA: /var/lib/postgresql/data/';
  expect(forge.scene.store.updates.plan(update.id)?.warnings?.join()).toContain(line);
  expect(mails()[0]?.text).toContain(line);
  await expect(decideById(forge.scene.deps, update.id, 'approve', 'cli:0')).rejects.toMatchObject({
    code: 'compose_change_required',
    message: expect.stringContaining(line),
  });
});

describe('once the line is in the compose file,', () => {
  let first: Update;
  beforeEach(async () => {
    forge.scene.engine.publish('postgres:18', {
      config: { Env: ['PG_MAJOR=18', 'PGDATA=/var/lib/postgresql/18/docker'] },
    });
    first = await requestUpdate(forge.scene.deps, { container: DB, image: 'postgres:18' });
    end(first.id, 'passed');
    const all = [...forge.scene.engine.host.containers.values()];
    const db = all.find(({ inspect }) => inspect.Name === `/${DB}`);
    db?.inspect.Config.Env?.push('PGDATA=/var/lib/postgresql/data/');
  });

  const expectOfferedAgain = (): void => {
    const [now] = forge.scene.updates().filter(({ status }) => status === 'awaiting_approval');
    expect(now).toMatchObject({ container: DB, approval: { status: 'waiting' } });
    expect(forge.scene.store.updates.plan(now?.id ?? '')?.newMajor).toEqual({ from: '15', to: '18', change: null });
    expect(forge.scene.store.updates.get(first.id)).toMatchObject({
      status: 'superseded',
      reason: 'The compose file was changed as the plan asked, so the update is offered again.',
    });
    expect(rehearsal(now?.id ?? '')).toMatchObject({ status: 'queued' });
  };

  it('a new request offers the update again, and has it rehearsed', async () => {
    await requestUpdate(forge.scene.deps, { container: DB, image: 'postgres:18' });
    expectOfferedAgain();
  });

  it('the next look offers it again', async () => {
    await reofferChanged(forge.scene.deps);
    expectOfferedAgain();
  });
});
