import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoBrowser } from '../lab/browser';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { openBrowser } from '../support/browser';
import { linkInMail, press, seeAll, tokensMailed, verdict, whole } from '../support/e2e-approvals';
import { nginxService, SITE } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { announce, pageOf } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { describeIf } from '../support/needs';

// What an operator with one mail and a browser sees and does, on the real service and the real engine.
const MANUAL = { 'diun.enable': 'true', 'update.policy': 'manual' };
const PASSWORD = 'only-the-database-knows-this';
const stage = openStage();
let stack: ComposeProject;
let pilot: Pilot;

const reference = (name: string): string => stage.lab.registry.reference(`browser/${name}`);

beforeAll(async () => {
  const { registry, images } = stage.lab;
  await registry.publishAndPull(images.POSTGRES_15, 'browser/postgres:15');
  await registry.publishAndPull(images.APP_1, 'browser/app:stable');
  await registry.publishAndPull(images.NGINX_GOOD_1, 'browser/nginx:stable');
  const db = { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: PASSWORD };
  const login = { APP_DB_HOST: 'db', APP_DB_NAME: 'app', APP_DB_USER: 'app', APP_DB_PASSWORD: PASSWORD };
  const services = {
    db: {
      image: reference('postgres:15'),
      environment: db,
      volumes: ['rows:/var/lib/postgresql/data'],
      labels: { ...MANUAL, 'update.probe': 'postgres', 'backup.kind': 'postgres' },
    },
    app: {
      image: reference('app:stable'),
      environment: login,
      depends_on: ['db'],
      volumes: ['files:/data'],
      ports: ['127.0.0.1::3000'],
      labels: { ...MANUAL, 'update.probe': 'gitea', 'backup.kind': 'files', 'backup.paths': '/data' },
    },
    web: nginxService(reference('nginx:stable'), { ...MANUAL, 'update.probe': 'nginx', 'update.probe.timeout': '5s' }),
  };
  stack = await stage.project('browser', services, { files: SITE, top: { volumes: { rows: {}, files: {} } } });
  pilot = await stage.pilot();
  await eventually('the application answers', version);
});

const version = async (): Promise<string> => (await fetch(`${await stack.url('app', 3000)}/version`)).text();

/** Diun reports a new image of the service, and the mail with its link comes. */
async function offer(service: string, image: string, tag: string): Promise<{ container: string; link: string }> {
  const digest = await stage.lab.registry.publish(image, `browser/${tag}`);
  await announce(pilot, reference(tag), digest);
  const container = await stack.containerName(service);
  return { container, link: await linkInMail(pilot, container, digest) };
}

describeIf(whyNoBrowser(), 'an operator with a mail and a browser', () => {
  const browser = openBrowser();
  afterEach(() => browser.forget());

  test('a thousand looks of scanners, and a browser that runs every script, change nothing', async () => {
    const { container, link } = await offer('db', stage.lab.images.POSTGRES_15_NEXT, 'postgres:15');
    const before = [await pilot.get('/updates'), (await pilot.mails()).length, (await stack.container('db'))['Id']];
    for (let round = 0; round < 20; round++) {
      const looks = Array.from({ length: 50 }, (_, n) => fetch(link, { method: n % 2 === 0 ? 'GET' : 'HEAD' }));
      for (const { status } of await Promise.all(looks)) expect(status).toBe(200);
    }
    const page = await browser.open(link);
    for (let n = 0; n < 5; n++) await page.reload({ waitUntil: 'networkidle' });
    await page.goto(`${link}#decline`, { waitUntil: 'networkidle' });
    expect([await pilot.get('/updates'), (await pilot.mails()).length, (await stack.container('db'))['Id']]).toEqual(
      before,
    );
    expect(container).toContain('db');
  });

  test('a database: the link opened, the plan read, its name typed, followed to its success', async () => {
    const [{ id, container, to }] = await pilot.updates('?status=awaiting_approval');
    const page = await browser.open(await linkInMail(pilot, container, to.digest));
    const plan = await whole(page);
    for (const words of [to.digest, 'every PostgreSQL database', 'The last verified backup', 'Downtime:'])
      expect(plan).toContain(words);
    await seeAll(page, 'plan of a database');
    await page.getByLabel(/type its name/).fill('another');
    await press(page, 'Approve');
    await page.getByRole('alert').getByText('Nothing was decided').waitFor();
    await seeAll(page, 'name missed');
    await page.getByLabel(/type its name/).fill(container);
    await press(page, 'Approve');
    await page.locator('#step-backup').waitFor();
    await seeAll(page, 'database under way');
    await verdict(page, 'Succeeded');
    await page.reload();
    await seeAll(page, 'database updated');
    expect(await pilot.get(`/updates/${id}`)).toMatchObject({ status: 'succeeded', approval: { status: 'approved' } });
  });

  test('an application with data: the same, and what it told before is known to the next plan', async () => {
    const { container, link } = await offer('app', stage.lab.images.APP_2, 'app:stable');
    const page = await browser.open(link, { viewport: { width: 1280, height: 900 } });
    await seeAll(page, 'plan of an application');
    expect(await whole(page)).toMatch(/UTC \(.+ ago\), .* read back to its end/);
    await page.getByLabel(/type its name/).fill(container);
    await press(page, 'Approve');
    await verdict(page, 'Succeeded');
    await page.reload();
    await seeAll(page, 'application updated');
    expect(await version()).toContain('2.0.0');
  });

  test('one that never becomes healthy: followed to the old version, which serves again', async () => {
    const before = (await stack.container('web'))['Id'];
    const { link } = await offer('web', stage.lab.images.NGINX_NEVER_HEALTHY, 'nginx:stable');
    const page = await browser.open(link);
    await seeAll(page, 'plan of nginx');
    await press(page, 'Approve');
    await verdict(page, 'Rolled back');
    await page.getByRole('link', { name: 'Load the full report' }).click();
    await page.getByText('the unchanged old container was started again').waitFor();
    await seeAll(page, 'nginx rolled back');
    expect((await stack.container('web'))['Id']).toBe(before);
    expect(await pageOf(stack, 'web')).toContain('good-1');
  });

  test('a tag that moves before the button: nothing is done, and the mail of what is there now is declined', async () => {
    const { lab } = stage;
    const { images, registry } = lab;
    const { container, link } = await offer('web', images.NGINX_GOOD_2, 'nginx:stable');
    const page = await browser.open(link);
    const moved = await registry.publish(
      await lab.variantOf(images.NGINX_GOOD_2, 'browser-moved'),
      'browser/nginx:stable',
    );
    await press(page, 'Approve');
    await page.getByRole('heading', { name: /has changed/ }).waitFor();
    await seeAll(page, 'moved meanwhile');
    const next = await browser.open(`${await linkInMail(pilot, container, moved)}#decline`);
    await seeAll(next, 'link to decline');
    await press(next, 'Decline');
    await next.getByRole('heading', { name: /stays as it is/ }).waitFor();
    await seeAll(next, 'declined');
    const [declined, superseded] = await pilot.updates(`?container=${container}`);
    expect([declined.status, superseded.status]).toEqual(['declined', 'superseded']);
    expect(await pageOf(stack, 'web')).toContain('good-1');
  });

  test('the operator page shows all of it', async () => {
    const httpCredentials = { username: 'operator', password: pilot.apiToken };
    const page = await browser.open(`${pilot.url}/`, { httpCredentials, viewport: { width: 1280, height: 900 } });
    const text = await page.locator('main').textContent(); // other files' containers may have it folded away
    for (const service of ['db', 'app', 'web']) expect(text).toContain(await stack.containerName(service));
    await seeAll(page, 'operator page');
  });

  test('no token and no secret is in a log line, a metric, a list, another page or a referrer', async () => {
    const approvalSecret = readFileSync(join(pilot.dataDir, 'secrets/approval-secret'), 'utf8').trim();
    const secrets = [PASSWORD, pilot.apiToken, pilot.webhookToken, approvalSecret];
    const tokens = await tokensMailed(pilot);
    expect(tokens).toHaveLength(5);
    const said = new Map([['the log', pilot.lines().join('\n')]]);
    const ids = (await pilot.updates()).map(({ id }) => String(id));
    const paths = [
      '/',
      '/updates',
      '/backups',
      '/metrics',
      '/health',
      '/openapi.json',
      ...ids.map((id) => `/updates/${id}`),
    ];
    for (const Accept of ['text/html', 'application/json'])
      for (const path of paths)
        said.set(`${path} as ${Accept}`, await (await pilot.request(path, { headers: { Accept } })).text());
    for (const token of tokens)
      said.set(`behind ${token}`, await (await fetch(`${pilot.url}/approvals/${token}`)).text());
    for (const [where, text] of said) {
      for (const secret of [...secrets, ...tokens, ...tokens.map((token) => token.split('.')[1] ?? '')])
        expect({ where, found: text.includes(secret) }).toEqual({ where, found: false });
    }
    for (const { text } of await pilot.mails()) for (const secret of secrets) expect(text).not.toContain(secret);
    expect(browser.requests.length).toBeGreaterThan(20);
    for (const request of browser.requests) expect(request.headers()['referer'] ?? '').toBe('');
  });
});
