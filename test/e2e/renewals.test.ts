import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { askServed } from '../../src/certificates/find-certificates';
import { PilotError } from '../../src/domain/errors';
import type { RenewalJson } from '../../src/http/api/schemas';
import type { Engine } from '../../src/ports/engine';
import type { Pilot } from '../lab/pilot';
import { NAME, SITES, TlsProject, tlsServices } from '../support/e2e-certificates';
import { runPilot } from '../support/e2e-cli';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';

// A real certbot, through a real nginx that lives in the network of another container, from a real ACME server. Pebble's
// certificates are valid for 30 days, which is when certbot takes them for due.
const stage = openStage();
let tls: TlsProject;
let pilot: Pilot;
let nginx: string;

beforeAll(async () => {
  const services = tlsServices(stage.lab, { validDays: 30 });
  const files = { 'conf/site.conf': SITES.withoutTls, 'letsencrypt/.keep': '', 'webroot/.keep': '', 'acme/.keep': '' };
  tls = new TlsProject(await stage.project('tls', services, { files }));
  await tls.issue();
  nginx = await tls.project.containerName('nginx');
  pilot = await stage.pilot();
});

const askedFor = async (): Promise<RenewalJson> => {
  const response = await pilot.request('/renewals', { method: 'POST' });
  expect(response.status).toBe(202);
  return endOf(((await response.json()) as RenewalJson).id);
};

const endOf = (id: string): Promise<RenewalJson> =>
  eventually(
    'the renewal ends',
    async () => {
      const { renewals } = (await pilot.get('/renewals')) as { renewals: RenewalJson[] };
      return renewals.find((each) => each.id === id && each.finishedAt !== null);
    },
    { timeoutMs: 300_000 },
  );

const mailsOf = async (words: RegExp) => (await pilot.mails()).filter(({ subject }) => words.test(subject ?? ''));

interface Health {
  checks: { certificates: { status: string; reason?: string } };
}
const certificatesHealth = async () =>
  ((await (await fetch(`${pilot.url}/health`)).json()) as Health).checks.certificates;

it('sees at start what is served and what is on disk', async () => {
  const look = async () => ((await pilot.get('/renewals')) as { certificates: object[] }).certificates[0];
  const { fingerprint, notAfter } = tls.onDisk();
  const same = { fingerprint, notAfter, names: [NAME], daysLeft: 29 };
  expect(await eventually('the first look', look)).toMatchObject({
    ...{ name: NAME, server: nginx, problem: null, project: tls.project.name },
    ...{ disk: same, served: same },
  });
  expect(await certificatesHealth()).toEqual({ status: 'ok' });
  const metrics = await (await pilot.request('/metrics')).text();
  expect(metrics).toContain(`diun_pilot_certificate_days_left{name="${NAME}",where="served"} 29`);
});

it('renews what is due, and what is served afterwards is the new one', async () => {
  const before = await tls.served();
  const { StartedAt } = (await tls.project.container('nginx'))['State'];
  const ended = await askedFor();
  expect(ended).toMatchObject({ status: 'succeeded', outcome: 'renewed', reason: 'operator', error: null });
  const after = await tls.served();
  expect(after.fingerprint).not.toBe(before.fingerprint);
  expect(after).toEqual(tls.onDisk());
  expect(ended.before).toMatchObject([{ served: before, disk: before }]);
  expect(ended.after).toMatchObject([{ served: after, disk: after }]);
  expect((await tls.project.container('nginx'))['State'].StartedAt).toBe(StartedAt);
});

it('leaves alone what is not due', async () => {
  tls.dueBefore(10);
  const before = await tls.served();
  expect(await askedFor()).toMatchObject({
    outcome: 'not_due',
    detail: `No certificate is due: ${NAME} has 29 days left.`,
  });
  expect(await tls.served()).toEqual(before);
});

it('warns of a certificate near its end, renews it from the command line, and then has nothing to do', async () => {
  const old = await tls.age(5);
  await pilot.restart();
  const [mail] = await eventually('the mail', async () => {
    const found = await mailsOf(/its certificate expires in/);
    return found.length > 0 ? found : null;
  });
  expect(mail?.subject).toBe(`[diun-pilot] ${NAME}: its certificate expires in 4 days – please renew it`);
  expect(mail?.text).toContain('diun-pilot renew');
  expect(await certificatesHealth()).toMatchObject({
    status: 'degraded',
    reason: expect.stringContaining('4 days left'),
  });

  const renewed = await runPilot(stage.lab, pilot.dataDir, ['renew']);
  expect(renewed).toMatchObject({ code: 0, stderr: '' });
  expect(renewed.stdout).toContain(`Renewed, and served: ${NAME} (${nginx}, 29 days).`);
  expect(await tls.served()).toEqual(tls.onDisk());
  expect((await tls.served()).fingerprint).not.toBe(old.fingerprint);

  const again = await runPilot(stage.lab, pilot.dataDir, ['renew', '--json']);
  expect(again.code).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'not_due', status: 'succeeded' });
  expect(await certificatesHealth()).toEqual({ status: 'ok' });
  expect(await mailsOf(/its certificate expires in/)).toHaveLength(1);
});

it('a challenge that cannot be answered: the old one stays served, a mail says why, and it is tried again', async () => {
  const old = await tls.age(9);
  await tls.serve(SITES.withoutChallenges);
  const ended = await askedFor();
  expect(ended).toMatchObject({ status: 'failed', outcome: 'failed', error: { code: 'renewal_failed' } });
  expect(await tls.served()).toEqual(old);
  const [mail] = await eventually('the mail', async () => {
    const found = await mailsOf(/renewal failed/);
    return found.length > 0 ? found : null;
  });
  expect(mail?.text).toMatch(/ended with exit code 1/);
  expect(mail?.text).toMatch(/Certbot failed to authenticate some domains/);
  expect(mail?.text).toMatch(/served: 8 days left/);
  const { renewals } = (await pilot.get('/renewals')) as { renewals: RenewalJson[] };
  expect(renewals[0]).toMatchObject({ status: 'queued', reason: 'retry' });
  expect(await certificatesHealth()).toMatchObject({ reason: expect.stringContaining('the last renewal failed') });

  await tls.serve(SITES.good);
  expect(await askedFor()).toMatchObject({ id: renewals[0]?.id, outcome: 'renewed', reason: 'operator' });
  expect(await tls.served()).toEqual(tls.onDisk());
});

it('a configuration that does not pass is not reloaded, and the next run loads what is on disk', async () => {
  const old = await tls.age(8);
  tls.write(SITES.broken);
  const ended = await askedFor();
  expect(ended).toMatchObject({ outcome: 'failed', error: { code: 'certificate_not_served' } });
  expect(ended.error?.message).toContain('unknown directive');
  expect(await tls.served()).toEqual(old);
  expect(tls.onDisk().fingerprint).not.toBe(old.fingerprint);
  tls.write(SITES.good);
  expect(await askedFor()).toMatchObject({ outcome: 'renewed', after: [{ served: tls.onDisk() }] });
  expect(await tls.served()).toEqual(tls.onDisk());
});

it('killed while certbot runs: the next start ends what was begun', async () => {
  const old = await tls.age(7);
  const response = await pilot.request('/renewals', { method: 'POST' });
  const { id } = (await response.json()) as RenewalJson;
  await eventually('certbot runs', () => tls.certbotRuns(), { everyMs: 5 });
  await pilot.kill();
  expect(await tls.served()).toEqual(old);
  await pilot.start();
  expect(await endOf(id)).toMatchObject({
    outcome: 'renewed',
    before: [{ disk: old }],
    after: [{ served: tls.onDisk() }],
  });
  expect(await tls.served()).toEqual(tls.onDisk());
  const { renewals } = (await pilot.get('/renewals')) as { renewals: RenewalJson[] };
  expect(renewals.filter(({ status }) => status === 'queued' || status === 'running')).toEqual([]);
});

it.each(['openssl', 'curl'])(
  'asks from inside with %s where this process shares no network with nginx',
  async (tool) => {
    const real = createDockerEngine({ dockerHost: stage.lab.viewHost, dockerConfigDir: null });
    const only: Engine = {
      ...real,
      exec: (id, command, options) => real.exec(id, command[0] === tool ? command : ['false'], options),
    };
    const unreachable = new PilotError('certificate_unreadable', 'Port 443 presents no certificate: EHOSTUNREACH.');
    const certificates = { served: () => Promise.reject(unreachable) };
    const server = await real.inspectContainer(nginx);
    const asked = askServed({ engine: only, certificates, selfId: null }, server, { port: 443, name: NAME });
    const { stdout } = await real.exec(nginx, ['curl', '--version']);
    const [major = 0, minor = 0] = /^curl (\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? [];
    if (tool === 'curl' && (major < 7 || (major === 7 && minor < 88))) {
      await expect(asked).rejects.toMatchObject({ message: expect.stringContaining('share a network') });
    } else expect(await asked).toEqual(await tls.served());
  },
);
