import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChannel } from '../../src/adapters/channels/channels';
import { readNotifyUrls } from '../../src/config/urls';
import type { SentNotice } from '../../src/adapters/channels/formats';
import { freePort } from '../lab/free-port';
import { PYTHON, whyNoNotifyServers } from '../lab/notify-servers';
import { eventually } from '../support/eventually';
import { API_TOKEN, asDiun, startHttp } from '../support/http-app';
import { describeIf } from '../support/needs';
import { fillHost } from '../support/pages-stage';

const MONITORING = join(__dirname, '../../docs/monitoring');
const LINK = 'https://pilot.example.org/approvals/abc.def';
const NOTICE: SentNotice = {
  ...{ id: '01J', at: '2026-01-05T03:00:00.000Z', kind: 'update_failed', topic: 'failures', priority: 5 },
  ...{
    title: 'gitea: update failed — ünïcode',
    verdict: 'Manual action required',
    text: ['First.', 'Second: @all <b>'],
  },
  link: { label: 'Restore the data', url: LINK },
};

const started: ChildProcess[] = [];
const servers: Server[] = [];
const folder = mkdtempSync(join(tmpdir(), 'notify-servers-'));
afterAll(async () => {
  for (const child of started) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGKILL')) await ended;
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function start(file: string, args: string[]): void {
  started.push(spawn(file, args, { stdio: 'ignore', cwd: folder }));
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

async function send(address: string, notice: SentNotice = NOTICE): Promise<void> {
  const read = readNotifyUrls(address);
  if ('problem' in read || read.value[0] === undefined) throw new Error('not a channel');
  await createChannel({ target: read.value[0], secret: null, now: () => new Date() }).send(notice);
}

describeIf(whyNoNotifyServers(), 'real servers', () => {
  it('ntfy shows title, message, priority, tags and the link, and takes a message of any length as a message', async () => {
    const port = await freePort();
    const config = join(folder, 'ntfy.yml');
    writeFileSync(
      config,
      `listen-http: "127.0.0.1:${port}"\nbase-url: "http://127.0.0.1:${port}"\ncache-file: "${folder}/ntfy.db"\n`,
    );
    start('/usr/bin/ntfy', ['serve', '--config', config]);
    await eventually('ntfy answers', () => answers(`http://127.0.0.1:${port}/v1/health`));
    await send(`ntfy://127.0.0.1:${port}/alerts`);
    await send(`ntfy://127.0.0.1:${port}/alerts`, { ...NOTICE, text: ['ä'.repeat(9000)] });
    const text = await (await fetch(`http://127.0.0.1:${port}/alerts/json?poll=1`)).text();
    const [first, second] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({
      ...{ topic: 'alerts', title: NOTICE.title, priority: 5, click: LINK, tags: ['rotating_light', 'failures'] },
      message: 'Manual action required.\n\nFirst.\n\nSecond: @all <b>',
    });
    expect(second).not.toHaveProperty('attachment');
    await expect(send(`ntfy://:tk_wrong@127.0.0.1:${port}/alerts`)).resolves.toBeUndefined(); // a server without accounts
  });

  it('Apprise passes it on to a service, and an unknown key is refused for good', async () => {
    const passedOn: unknown[] = [];
    const target = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        passedOn.push(JSON.parse(Buffer.concat(parts).toString()));
        response.end();
      });
    });
    servers.push(target);
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const port = await freePort();
    const place = `home=json://127.0.0.1:${(target.address() as AddressInfo).port}/`;
    start(PYTHON, [join(__dirname, '../lab/apprise-server.py'), `${port}`, place]);
    await eventually('Apprise answers', () => answers(`http://127.0.0.1:${port}/`));
    await send(`apprise+http://127.0.0.1:${port}/notify/home`);
    expect(passedOn).toMatchObject([{ title: NOTICE.title, type: 'failure', message: expect.stringContaining(LINK) }]);
    await expect(send(`apprise+http://127.0.0.1:${port}/notify/other`)).rejects.toMatchObject({ permanent: true });
  });

  it('the alert rules are valid and fire when they should', () => {
    const check = spawnSync('/usr/bin/promtool', ['check', 'rules', 'alerts.yml'], {
      cwd: MONITORING,
      encoding: 'utf8',
    });
    expect([check.status, check.stderr]).toEqual([0, '']);
    const tests = spawnSync('/usr/bin/promtool', ['test', 'rules', 'alerts.test.yml'], {
      cwd: MONITORING,
      encoding: 'utf8',
    });
    expect([tests.status, tests.stdout + tests.stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it('a real Prometheus scrapes every metric that the rules and the dashboard use', async () => {
    const http = await startHttp({
      channels: [{ kind: 'ntfy', id: 'ntfy-1', name: 'ntfy at ntfy.sh', topics: ['failures'] }],
    });
    try {
      fillHost(http.store);
      await fetch(`${http.url}/webhooks/diun`, { method: 'POST', headers: asDiun, body: '{}' });
      const port = await freePort();
      const config = join(folder, 'prometheus.yml');
      writeFileSync(
        config,
        `scrape_configs:\n  - job_name: diun-pilot\n    scrape_interval: 1s\n    authorization: { credentials: ${API_TOKEN} }\n` +
          `    static_configs: [{ targets: ['${new URL(http.url).host}'] }]\n`,
      );
      start('/usr/bin/prometheus', [
        ...[`--config.file=${config}`, `--storage.tsdb.path=${folder}/tsdb`, `--web.listen-address=127.0.0.1:${port}`],
      ]);
      const query = async (name: string): Promise<number> => {
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(name)}`);
        return ((await answer.json()) as { data: { result: unknown[] } }).data.result.length;
      };
      await eventually(
        'it has scraped',
        async () => (await answers(`http://127.0.0.1:${port}/`)) && (await query('diun_pilot_updates')) > 0,
      );
      for (const name of metricsUsed()) expect([name, (await query(name)) > 0]).toEqual([name, true]);
    } finally {
      await http.stop();
    }
  });
});

/** Every metric of diun-pilot that the rules and the dashboard name. */
function metricsUsed(): string[] {
  const text = ['alerts.yml', 'grafana.json'].map((file) => readFileSync(join(MONITORING, file), 'utf8')).join('\n');
  return [...new Set(text.match(/diun_pilot_[a-z_]+/g))];
}
