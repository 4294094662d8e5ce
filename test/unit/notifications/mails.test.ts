import type { Failure } from '../../../src/domain/errors';
import {
  approvalReminder,
  criticalUpdateAvailable,
  offerSuperseded,
  updateAvailable,
} from '../../../src/notifications/mails/offer';
import { backupFailed } from '../../../src/notifications/mails/backups';
import { updateFailed } from '../../../src/notifications/mails/update-failed';
import { updateSucceeded } from '../../../src/notifications/mails/update-succeeded';
import { mailReader } from '../../support/mail-reader';
import {
  aBackup,
  aFailedRollback,
  aFailedUpdate,
  anUpdate,
  aPlan,
  aRolledBackUpdate,
  aStep,
  at,
  failedNews,
  NEW_DIGEST,
  news,
  OLD_DIGEST,
  PAGE,
  PREPARED,
} from '../../support/news-builder';

const PUBLIC = 'https://pilot.example.org';
const { dom, bothSay, neitherSays } = mailReader();

describe('a rollback that failed', () => {
  it('has the link that restores the data, and the command that does the same', async () => {
    const backup = aBackup();
    const restoreUrl = 'https://pilot.example.org/approvals/TOKEN';
    const mail = updateFailed(failedNews({ update: aFailedRollback(), backup, quarantined: true, restoreUrl }));
    for (const part of [mail.html, mail.text]) expect(part).toContain(restoreUrl);
    await bothSay(mail, `diun-pilot restore ${backup.id}`, 'Opening it never changes anything');
    await neitherSays(updateFailed(failedNews({ update: aFailedRollback(), quarantined: true })), 'diun-pilot restore');
  });
});

it('a service whose new image Swarm refused was not changed, although the step had started', async () => {
  const error = { code: 'engine_refused', message: 'forge_runner is not healthy again.' } as const;
  const update = aFailedRollback({ kind: 'service', steps: [aStep('rollout', 0, 1, { status: 'failed' })], error });
  const mail = updateFailed(failedNews({ update, quarantined: false, replaced: false }));
  expect(mail.subject).toContain('update aborted, a service scaled to 0 for its backup is not healthy');
  await neitherSays(mail, 'docker service update');
});

it.each(['other_unhealthy', 'unhealthy_as_before', 'changed_meanwhile', 'rollback_failed', 'data_changed'] as const)(
  'a failed rollback (%s) of a container or a service says what the new version changed in the data',
  async (code) => {
    const dataChange = { changes: ['database app of db-1: schema_version 114 → 135'], unread: [] };
    const error = { code, message: 'It is unhealthy.' };
    for (const kind of ['container', 'service'] as const) {
      const update = { ...aFailedRollback({ error }), kind };
      await bothSay(updateFailed(failedNews({ update, quarantined: false, dataChange })), dataChange.changes[0] ?? '');
    }
  },
);

describe('update available', () => {
  it('says that it is applied by itself, and from what to what', async () => {
    const mail = updateAvailable(news({ plan: aPlan() }));
    expect(mail).toMatchObject({ kind: 'update_available', updateId: anUpdate().id });
    expect(mail.subject).toBe('[diun-pilot] nginx: update available, being applied now – nothing to do');
    await bothSay(
      mail,
      'There is nothing to do',
      OLD_DIGEST,
      NEW_DIGEST,
      'nginx does not answer for about half a second',
    );
    await bothSay(mail, 'https://nginx.org/en/CHANGES', PAGE);
  });
});

describe('critical update available', () => {
  const update = anUpdate({
    status: 'awaiting_approval',
    to: { reference: 'nginx:1.28', digest: NEW_DIGEST },
    approval: { status: 'waiting', expiresAt: '2026-11-26T03:00:10.000Z', decidedAt: null },
  });
  const plan = aPlan({ jump: 'minor', followUp: 'Write image: nginx:1.28 into compose.yml' });
  const approvalUrl = 'https://pilot.example.org/approvals/abc.def';
  const surroundings = { lastBackup: aBackup(), usualDowntimeSeconds: 4.2 };

  it('shows the whole plan: from, to, backup, course, risks, what is left, and until when', async () => {
    const mail = criticalUpdateAvailable({ ...news({ update, plan }), approvalUrl, surroundings, replaces: null });
    await bothSay(mail, 'nginx:1.27', OLD_DIGEST, 'nginx:1.28', NEW_DIGEST, 'minor version', '2026-11-26 03:00:10 UTC');
    await bothSay(mail, ...plan.backup, ...plan.course, ...plan.risks, plan.followUp ?? '');
  });

  it.each([
    [
      'the offer',
      () => criticalUpdateAvailable({ ...news({ update, plan }), approvalUrl, surroundings, replaces: null }),
    ],
    ['the reminder', () => approvalReminder({ ...news({ update, plan }), approvalUrl, surroundings })],
  ])('%s has the signed link, the link to decline, and the commands for who is on the host', async (_what, render) => {
    const mail = render();
    const { links } = await dom.read(mail.html);
    for (const link of [approvalUrl, `${approvalUrl}#decline`]) {
      expect(links).toContain(link);
      expect(mail.text).toContain(`\n${link}\n`);
    }
    await bothSay(mail, `diun-pilot approve ${update.id}`, `diun-pilot decline ${update.id}`);
    await bothSay(mail, 'nginx was offline for about 4 s', '2026-11-23 03:00:22 UTC, 12.4 MiB, read back to its end');
    await bothSay(mail, ...plan.risks, 'Opening it never changes anything', '2026-11-26 03:00:10 UTC');
  });

  it.each([
    [null, 'where you approve the update or decline it.'],
    [
      'Sat 02:00-05:00',
      'where you approve the update now, approve it for the next update window (Sat 02:00-05:00), or decline it.',
    ],
  ])('says what its page offers, with the window %s', async (window, words) => {
    const windowed = { ...news({ update, plan: { ...plan, window } }), approvalUrl, surroundings };
    await bothSay(criticalUpdateAvailable({ ...windowed, replaces: null }), words);
  });

  it('promises a restore without loss of data only until the new version is healthy', async () => {
    const restoring = { ...news({ update, plan: aPlan({ restores: true }) }), approvalUrl, surroundings };
    const mail = criticalUpdateAvailable({ ...restoring, replaces: null });
    await bothSay(mail, 'stay stopped until the new version is healthy. After that, a restore needs your decision.');
  });

  it('names the earlier offer whose place it takes', async () => {
    const replaces = { reference: 'nginx:1.27.5', digest: OLD_DIGEST };
    const mail = criticalUpdateAvailable({ ...news({ update, plan }), approvalUrl, surroundings, replaces });
    expect(mail.subject).toBe(
      '[diun-pilot] nginx: critical update available, newer than the previous offer – approval required',
    );
    await bothSay(mail, `earlier offer for the same container (nginx:1.27.5, ${OLD_DIGEST})`);
  });

  it('says so when nothing would be backed up', async () => {
    const nothingKept = aPlan({ backup: [] });
    const mail = criticalUpdateAvailable({
      ...news({ update, plan: nothingKept }),
      approvalUrl,
      surroundings,
      replaces: null,
    });
    await bothSay(mail, 'Nothing: no container of its project has the label backup.kind.');
  });

  it('superseded without a new offer: says that its link is void, why, and gives none', async () => {
    const reason = 'There is a newer digest for the same container: nginx:1.28.';
    const mail = offerSuperseded({ update: { ...update, status: 'superseded', reason }, page: '' });
    await bothSay(mail, 'is no longer valid', 'The link to it no longer works', reason, NEW_DIGEST);
    await neitherSays(mail, '/approvals/');
  });
});

describe('update succeeded', () => {
  it('says how it was checked, how long it took, and what is left to do first of all', async () => {
    const steps = [...PREPARED, aStep('health_check', 23, 30, { detail: 'nginx answers, seen twice' })];
    const update = anUpdate({ status: 'succeeded', finishedAt: at(75), steps, followUp: 'Edit compose.yml' });
    const mail = updateSucceeded(news({ update, backup: aBackup() }));
    expect(mail.subject).toBe('[diun-pilot] nginx: updated – one manual step is left');
    await bothSay(mail, '1 min 15 s', 'nginx answers, seen twice', 'Edit compose.yml', '12.4 MiB', aBackup().url ?? '');
  });
});

describe('update failed', () => {
  const failed = updateFailed(failedNews({ update: aFailedUpdate(), backup: aBackup(), quarantined: true }));
  const rolledBack = updateFailed(failedNews({ update: aRolledBackUpdate(), backup: aBackup(), quarantined: true }));
  const down = updateFailed(failedNews({ update: aFailedRollback(), backup: aBackup(), quarantined: true }));

  it('before the swap: says that nothing was changed and nobody was stopped', async () => {
    expect(failed.subject).toBe('[diun-pilot] nginx: update failed, nothing was changed – nothing urgent');
    await bothSay(
      failed,
      'the old container was never stopped',
      'preflight_failed',
      'unknown directive "http3"',
      'Preflight',
    );
    await neitherSays(failed, 'running its old version again', 'Manual action', 'docker logs');
  });

  it('after a rollback: says that the old one serves again, how that was verified, and for how long it may not have', async () => {
    expect(rolledBack.subject).toBe('[diun-pilot] nginx: rolled back – nothing urgent, the old version is running');
    await bothSay(rolledBack, 'Verified after the rollback: nginx answers on port 80, seen twice', 'at most 19 s');
    await bothSay(rolledBack, 'Health check', 'host not found in upstream "app"', aBackup().id);
    await neitherSays(rolledBack, 'never stopped', 'needs a person', 'docker logs');
  });

  it.each(['container', 'service'] as const)(
    'of a %s whose data was restored: says that it was verified after the restore',
    async (kind) => {
      const steps = [
        ...aRolledBackUpdate().steps.slice(0, -1),
        aStep('restore', 36, 60, { detail: 'The data of 2026-11-23 03:00:10 UTC is restored.' }),
        aStep('restore_health_check', 60, 70, { detail: 'it answers' }),
      ];
      const mail = updateFailed(failedNews({ update: aRolledBackUpdate({ kind, steps }), quarantined: true }));
      await bothSay(mail, 'Verified after the restore: it answers');
    },
  );

  it('after a handover that failed beside the old one: says that the old one was never stopped', async () => {
    const servedOn = updateFailed(failedNews({ update: aRolledBackUpdate(), quarantined: true, servedOn: true }));
    expect(servedOn.subject).toBe('[diun-pilot] nginx: rolled back – nothing urgent, the old version kept running');
    await bothSay(servedOn, 'was never stopped', 'Verified after the rollback', 'may have answered some');
    await neitherSays(servedOn, 'was started again', 'at most', 'needs a person');
  });

  it('after a failed rollback: asks for a person now, with the commands to look and to bring it back', async () => {
    expect(down.subject).toBe('[diun-pilot] nginx: DOWN, update and rollback failed – manual action required');
    await bothSay(
      down,
      'Manual action required: diun-pilot cannot repair nginx automatically',
      'docker ps -a --filter name=nginx',
      'docker logs --tail 100 nginx',
    );
    await bothSay(down, 'docker start nginx', `image: nginx:1.27@${OLD_DIGEST}`, 'docker compose up -d nginx');
    await bothSay(down, 'bind() to 0.0.0.0:80 failed', 'host not found in upstream "app"');
    await neitherSays(down, 'never stopped', 'Nothing is urgent');
  });

  it('says whether the digest is retried automatically', async () => {
    await bothSay(failed, 'does not retry this digest on nginx automatically', 'diun-pilot update nginx');
    const passing = updateFailed(failedNews({ update: aFailedUpdate(), quarantined: false }));
    await bothSay(
      passing,
      'A registry check (reconcile) finds the update again, 20 hours after',
      'diun-pilot update nginx',
    );
  });

  it('promises another try only where there is one', async () => {
    const passing = { quarantined: false };
    const to = { reference: 'nginx:1.28', digest: NEW_DIGEST };
    const announced = updateFailed(failedNews({ update: aFailedUpdate({ to }), ...passing }));
    await bothSay(announced, 'finds the update again', 'diun-pilot update nginx nginx:1.28');
    const requested = updateFailed(failedNews({ update: aFailedUpdate({ to, source: 'operator' }), ...passing }));
    await bothSay(requested, 'does not retry it automatically', 'diun-pilot update nginx nginx:1.28');
    await neitherSays(requested, 'finds the update again');
    const off = updateFailed(failedNews({ update: aFailedUpdate(), ...passing, reconciles: false }));
    await bothSay(off, 'Registry checks are off', 'diun-pilot update nginx');
    await neitherSays(off, 'finds the update again');
  });

  it('of a new tag: tells to leave the compose file as it is', async () => {
    const update = aRolledBackUpdate({ to: { reference: 'nginx:1.28', digest: NEW_DIGEST } });
    const mail = updateFailed(failedNews({ update, quarantined: true }));
    await bothSay(mail, 'Do not change the compose file', 'diun-pilot update nginx nginx:1.28');
  });

  it('of a container that is gone: does not claim that it runs', async () => {
    const update = aFailedUpdate({ steps: [], error: { code: 'container_not_found', message: 'nginx is gone.' } });
    const mail = updateFailed(failedNews({ update, quarantined: false }));
    await bothSay(mail, 'The container nginx no longer exists');
    await neitherSays(mail, 'runs its old version', 'Still runs', 'finds the update again', 'diun-pilot update');
  });

  it('of a container that does not run: does not claim that it serves', async () => {
    const error: Failure = { code: 'container_not_running', message: 'nginx does not run (exited). Start it first.' };
    const mail = updateFailed(failedNews({ update: aFailedUpdate({ error }), quarantined: false }));
    await bothSay(mail, 'nginx is unchanged: it is not running');
    await neitherSays(mail, 'runs its old version', 'Still runs');
  });

  it('is not written of an update that somebody else broke off as if it were down', async () => {
    const error: Failure = {
      code: 'changed_meanwhile',
      message: 'nginx was replaced externally by another container (9f3c).',
    };
    const mail = updateFailed(
      failedNews({ update: aRolledBackUpdate({ status: 'rollback_failed', error }), quarantined: false }),
    );
    await bothSay(mail, 'nginx was replaced externally', 'docker ps -a');
    await neitherSays(mail, 'DOWN', 'neither the new nor the old version works');
  });

  it('is not written of an update that did not fail', () => {
    const succeeded = failedNews({ update: anUpdate({ status: 'succeeded' }) });
    expect(() => updateFailed(succeeded)).toThrow('succeeded has not failed');
  });
});

describe('every mail', () => {
  const failed = backupFailed({
    backup: aBackup({ status: 'failed', error: { code: 'storage_full', message: 'It is full.' }, url: null }),
    lastGood: null,
    publicUrl: PUBLIC,
  });

  it('with a command says where it runs, and with a link to the operator page how to get there', async () => {
    await bothSay(
      failed,
      'run each diun-pilot command as "docker compose exec diun-pilot …"',
      'ssh -L 8080:localhost:8080',
    );
    expect(failed.text).toContain('\nhttps://pilot.example.org/#backups\n');
    const available = updateAvailable(news({ plan: aPlan() }));
    await neitherSays(available, 'docker compose exec diun-pilot', 'ssh -L');
  });

  it('shows its first sentence beside the subject in a mailbox, and not in the mail', () => {
    expect(failed.html).toMatch(/<body[^>]*><div style="display:none[^"]*">Everything is running as before/);
  });

  it('keeps a time in one line with its zone', () => {
    const mail = updateFailed(failedNews({ update: aRolledBackUpdate(), backup: aBackup(), quarantined: true }));
    expect(mail.text).toContain(
      '\nnginx may have been offline between 2026-11-23 03:00:31 UTC and\n2026-11-23 03:00:50 UTC',
    );
  });

  it('names no address to POST to: the shipped nginx leads from outside to the pages alone', async () => {
    const mail = updateFailed(failedNews({ update: aFailedUpdate(), quarantined: true }));
    await neitherSays(mail, 'curl');
    await bothSay(mail, '"Try it again" on the operator page');
  });

  it('tells what a restore has set aside once, with the commands that remove it', () => {
    const kept =
      'The data of 2026-11-23 03:00:10 UTC is restored. The data of the new version is kept: /data. To remove it:';
    const restore = aStep('restore', 36, 38, { detail: `${kept}\ndocker exec web rm -rf /data/before` });
    const update = aRolledBackUpdate({ steps: [...aRolledBackUpdate().steps, restore] });
    const { text } = updateFailed(failedNews({ update, backup: aBackup(), quarantined: true }));
    expect(text.replace(/\s+/g, ' ').split('The data of the new version is kept')).toHaveLength(2);
  });
});

it('after an external change: says that the container is down when none could be started', async () => {
  const message = 'web was removed externally. None could be started: port is already allocated';
  const update = aFailedUpdate({ error: { code: 'changed_meanwhile', message } });
  const mail = updateFailed(failedNews({ update, quarantined: false, broughtBack: 'none runs' }));
  expect(mail.subject).toContain('DOWN, container was removed or stopped externally – manual action required');
  await bothSay(mail, 'port is already allocated', 'docker compose up -d nginx');
  await neitherSays(mail, 'changed nothing', 'left the result');
});
