import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { about, recordedRequest, send } from '../lab/diun/recorded-requests';
import type { RenewalsJson } from '../../src/http/api/schemas';
import { openStage } from '../support/e2e-stage';
import {
  builtFrom,
  API_TOKEN,
  DOMAIN,
  filledIn,
  OPERATOR_DOMAIN,
  openStack,
  TAGS,
  WEBHOOK_TOKEN,
  type Stack,
} from '../support/e2e-stack';
import type { UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// The shipped docker-compose.yml as it is, on the lab's engine: what a stranger gets who clones, fills in .env and brings it up.
const stage = openStage();
let stack: Stack;

const REPOSITORY = join(__dirname, '../..');
/** As `diun.watch_repo` finds it. */
const NEW_NGINX = 'stack/nginx:1.26.4';
const NEEDED = { POSTGRES_PASSWORD: 'a', GITEA_SECRET_KEY: 'b', PILOT_WEBHOOK_TOKEN: 'c', DOCKER_GID: '999' };

beforeAll(async () => {
  stack = await openStack(stage.lab);
  stage.closing(() => stack.remove());
});

/** As a browser at home would ask, by name and port 443. */
function ask(path: string, headers: Record<string, string> = {}, name = DOMAIN): Promise<IncomingMessage> {
  const options = { host: '127.0.0.1', port: stack.ports.https, servername: name, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const sent = get({ ...options, path, headers: { Host: name, ...headers }, agent: false }, resolve);
    sent.once('error', reject);
  });
}

async function answerOf(
  path: string,
  headers?: Record<string, string>,
  name?: string,
): Promise<{ status?: number; body: string }> {
  const answer = await ask(path, headers, name);
  return { status: answer.statusCode, body: await text(answer) };
}

async function updates(): Promise<UpdateTold[]> {
  const headers = { Authorization: `Bearer ${API_TOKEN}` };
  const answer = await fetch(`http://127.0.0.1:${stack.ports.operator}/updates`, { headers });
  return ((await answer.json()) as { updates: UpdateTold[] }).updates;
}

/** Diun's recorded request about this image, by the port that only this machine reaches. */
async function announce(tag: string, digest: string, recorded = 'update-same-tag-first-container'): Promise<void> {
  const request = about(recordedRequest(recorded), {
    image: stage.lab.registry.reference(tag),
    digest,
  });
  const answer = await send(request, `http://127.0.0.1:${stack.ports.operator}`, `Bearer ${WEBHOOK_TOKEN}`);
  expect(answer.status).toBe(202);
}

function updateWith(digest: string, status: string): Promise<UpdateTold> {
  const found = async (): Promise<UpdateTold> => {
    const update = (await updates()).find(({ to }) => to.digest === digest);
    if (update?.['status'] === status) return update;
    throw new Error(JSON.stringify(update));
  };
  return eventually(`the update is ${status}`, found);
}

async function expectNoWarning(version: string): Promise<void> {
  const { stderr } = await stack.compose(['exec', '-T', 'nginx', 'sh', '-c', 'nginx -v && nginx -t']);
  expect(stderr).toContain(`nginx version: nginx/${version}`);
  expect(stderr).toContain('test is successful');
  expect(stderr).not.toContain('[warn]');
}

const MARKER = '-----BEGIN CERTIFICATE-----';

describe('before anything is started', () => {
  it('the file is whole, and says nothing, with .env.example and four values', async () => {
    const env = join(stage.lab.scratch('env'), '.env');
    writeFileSync(env, filledIn(NEEDED));
    const { code, stderr } = await stack.compose(['config', '--quiet'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each(Object.keys(NEEDED))('without %s it refuses, and says how to make one', async (name) => {
    const env = join(stage.lab.scratch('env'), '.env');
    writeFileSync(env, filledIn({ ...NEEDED, [name]: '' }));
    const { code, stderr } = await stack.compose(['config', '--quiet'], env);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(new RegExp(`${name}.*set it in \\.env.*\\((openssl|stat) `));
  });

  it('every service is bound: memory, processes, log, privileges, and what it may restart', async () => {
    const { services } = JSON.parse(await stack.composed('config', '--format', 'json')) as {
      services: Record<string, Record<string, unknown>>;
    };
    const shipped = Object.entries(services).filter(([name]) => name !== 'pebble');
    expect(shipped.map(([name]) => name).sort()).toEqual(
      ['certbot', 'diun', 'diun-pilot', 'edge', 'gitea', 'nginx', 'postgres'].sort(),
    );
    for (const [name, service] of shipped) {
      expect({ name, ...service }).toMatchObject({
        name,
        mem_limit: expect.stringMatching(/^\d+$/),
        pids_limit: expect.any(Number),
        logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } },
        security_opt: ['no-new-privileges:true'],
        restart: name === 'certbot' ? 'no' : 'unless-stopped',
        cap_drop: name === 'gitea' ? expect.arrayContaining(['NET_RAW']) : ['ALL'],
        ...(name === 'gitea' ? {} : { read_only: true }),
      });
    }
  });
});

describe('the first start, without a certificate', () => {
  it('brings everything up, and certbot gets the certificate through nginx', async () => {
    await stack.composed('up', '--detach', '--quiet-pull');
    const certbot = async () => (await stack.container('certbot'))['State'].Status === 'exited';
    await eventually('certbot has ended', certbot);
    expect((await stack.composed('logs', '--no-log-prefix', 'certbot')).split('\n')).toContainEqual(
      expect.stringContaining('Successfully received certificate'),
    );
    expect((await stack.container('certbot'))['State'].ExitCode).toBe(0);
  });

  it('https is served with it, by itself', async () => {
    const healthy = async () => (await answerOf('/api/healthz')).status === 200;
    await eventually('Gitea answers by https', healthy);
    const answer = await ask('/version');
    answer.resume();
    const served = (answer.socket as TLSSocket).getPeerX509Certificate();
    const live = `/etc/letsencrypt/live/${DOMAIN}/fullchain.pem`;
    const onDisk = await stack.composed('exec', '-T', 'nginx', 'cat', live);
    expect(onDisk).toContain(served?.toString().split('\n').slice(1, 5).join('\n'));
    expect(onDisk.split(MARKER).length - 1).toBeGreaterThan(1);
    expect([served?.subjectAltName, served?.issuer]).toEqual([`DNS:${DOMAIN}`, expect.stringContaining('Pebble')]);
    expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d{8}$/);
  });

  it('its configuration gives no reason to warn, in an nginx of 2022', () => expectNoWarning('1.2'));

  it('http leads to https', async () => {
    const url = `http://127.0.0.1:${stack.ports.http}/some/path?q=1`;
    const answer = await fetch(url, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([301, `https://${DOMAIN}/some/path?q=1`]);
  });

  it('every container is up, and healthy where it is asked', async () => {
    const states = async () => {
      const all = await Promise.all(
        Object.values(await stack.ids()).map((id) => stage.lab.docker.inspect('container', id)),
      );
      const told = all.map((one) => `${one?.['Name']} ${one?.['State'].Health?.Status ?? one?.['State'].Status}`);
      const bad = told.filter((line) => !/ (healthy|running)$/.test(line) && !/-certbot-1 exited$/.test(line));
      if (bad.length > 0) throw new Error(bad.join(', '));
      return told.length;
    };
    expect(await eventually('all are', states)).toBe(8);
  });

  it('diun-pilot finds certbot and nginx by their labels: nothing is due, and what is served is what lies on disk', async () => {
    const url = `http://127.0.0.1:${stack.ports.operator}/renewals`;
    const headers = { Authorization: `Bearer ${API_TOKEN}` };
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(202);
    const ended = async (): Promise<RenewalsJson | null> => {
      const told = (await (await fetch(url, { headers })).json()) as RenewalsJson;
      return told.renewals.every(({ finishedAt }) => finishedAt !== null) ? told : null;
    };
    const { renewals, certificates } = await eventually('it is done', ended);
    expect(renewals[0]).toMatchObject({ status: 'succeeded', outcome: 'not_due' });
    expect(certificates.map(({ name }) => name).sort()).toEqual([DOMAIN, OPERATOR_DOMAIN]);
  });

  it('Diun reaches diun-pilot by the name and with the token that it was given', async () => {
    const before = (await updates()).length;
    if (stage.lab.origin === 'public') await stack.composed('exec', '-T', 'diun', 'diun', 'notif', 'test');
    else await sendAsDiun();
    const heard = async () => (await updates()).length > before;
    await eventually('the notification is shown', heard);
  });

  async function sendAsDiun(): Promise<void> {
    process.stderr.write('\n!!! Diun is not to be had here: its recorded test request is sent from its container\n');
    const { body } = recordedRequest('notif-test');
    const yml = readFileSync(join(REPOSITORY, 'diun/diun.yml'), 'utf8');
    const [, endpoint = ''] = /endpoint: (\S+)/.exec(yml) ?? [];
    const header = 'Authorization: $DIUN_NOTIF_WEBHOOK_HEADERS_AUTHORIZATION';
    const curl = `curl --fail --silent --show-error -X POST -H "${header}" --data '${body}' ${endpoint}`;
    expect(await stack.composed('exec', '-T', 'diun', 'sh', '-c', curl)).toContain('"duplicate":false');
  }
});

describe('from outside', () => {
  it.each(['/', '/health', '/metrics', '/updates', '/backups', '/webhooks/diun', '/openapi.json', '/actions/back-up'])(
    '%s is not of diun-pilot',
    async (path) => {
      const { body } = await answerOf(path, { Authorization: `Bearer ${API_TOKEN}`, Accept: 'text/html' });
      expect(body).not.toMatch(/diun-pilot|checks|openapi/);
    },
  );

  it('only what a link of a mail opens is, and the link is in no log of nginx', async () => {
    const secret = 'a-token-that-nobody-may-read';
    expect(await answerOf(`/approvals/${secret}`)).toMatchObject({
      status: 404,
      body: expect.stringContaining('Invalid link'),
    });
    for (const path of ['/updates/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/updates/..%2fapprovals%2fx', '/assets/live.js']) {
      expect((await answerOf(path, { Accept: 'text/html' })).body).not.toMatch(/diun-pilot|password/);
    }
    await (await fetch(`http://127.0.0.1:${stack.ports.http}/approvals/${secret}`, { redirect: 'manual' })).text();
    const logs = await stack.composed('logs', '--no-log-prefix', 'nginx');
    expect(logs).toContain('"GET (diun-pilot)" 404');
    expect(logs).toContain('"GET (a link of diun-pilot) HTTP/1.1" 301');
    expect(logs).not.toContain(secret);
  });

  it('the operator page is under a name of its own, with a certificate of its own', async () => {
    const answer = await ask('/', { Accept: 'text/html' }, OPERATOR_DOMAIN);
    expect(await text(answer)).toContain('A password is needed');
    const served = (answer.socket as TLSSocket).getPeerX509Certificate();
    expect(served?.subjectAltName).toBe(`DNS:${OPERATOR_DOMAIN}`);
    const headers = { Authorization: `Bearer ${API_TOKEN}` };
    expect((await answerOf('/updates', headers, OPERATOR_DOMAIN)).status).toBe(200);
    expect((await answerOf('/webhooks/diun', headers, OPERATOR_DOMAIN)).status).toBe(404);
  });

  it('the address of the client counts as nginx reports it, and as no other container claims it', async () => {
    const wrongLinks = async (service: string): Promise<string[]> => {
      const script = `curl --silent --output /dev/null --write-out '%{http_code} ' -H 'X-Forwarded-For: 198.51.100.7' 'http://diun-pilot:8080/approvals/wrong-[1-102]'`;
      return (await stack.composed('exec', '-T', service, 'sh', '-c', script)).trim().split(/\s+/);
    };
    const one = `curl --silent --output /dev/null --write-out '%{http_code}' -H 'X-Forwarded-For: 198.51.100.8' http://diun-pilot:8080/approvals/x`;
    const next = (service: string) => stack.composed('exec', '-T', service, 'sh', '-c', one);
    expect((await wrongLinks('nginx')).at(-1)).toBe('429');
    expect(await next('nginx')).toBe('404');
    expect((await wrongLinks('gitea')).at(-1)).toBe('429');
    expect(await next('gitea')).toBe('429');
  });

  it('of the folder diun-pilot may write .env and compose files, and nothing that others run or build', async () => {
    const may = async (path: string): Promise<boolean> => {
      const script = `fs.accessSync('${stack.folder}/${path}', fs.constants.W_OK)`;
      return (await stack.compose(['exec', '-T', 'diun-pilot', 'node', '-e', script])).code === 0;
    };
    for (const path of ['.env', 'docker-compose.yml', '.']) expect([path, await may(path)]).toEqual([path, true]);
    const scripts = ['nginx', 'nginx/start.sh', 'nginx/certbot.sh', 'diun', 'diun/diun.yml', '.git', '.git/config'];
    for (const path of [...scripts, '.dockerignore', ...builtFrom(), 'src/main.ts', 'scripts/image/prune.mjs']) {
      expect([path, await may(path)]).toEqual([path, false]);
    }
  });
});

describe('updates', () => {
  it('nginx: by itself when Diun tells of a new tag, and https goes on', async () => {
    const { lab } = stage;
    const before = await stack.container('nginx');
    const digest = await lab.registry.publish(lab.images.NGINX_GOOD_2, NEW_NGINX);
    await announce(NEW_NGINX, digest, 'new-tag');
    await updateWith(digest, 'succeeded');
    const after = await stack.container('nginx');
    expect(after['Id']).not.toBe(before['Id']);
    expect((await lab.docker.inspect('image', lab.images.NGINX_GOOD_2))?.['Id']).toBe(after['Image']);
    expect((await answerOf('/version')).status).toBe(200);
    await expectNoWarning('1.26');
    expect(readFileSync(join(stack.folder, '.env'), 'utf8')).toContain(
      `\nNGINX_IMAGE=${lab.registry.reference(NEW_NGINX)}\n`,
    );
  });

  it('Gitea: by the link of the mail, followed live through nginx', async () => {
    const { lab } = stage;
    const digest = await lab.registry.publish(lab.images.APP_2, TAGS.gitea);
    await announce(TAGS.gitea, digest);
    await updateWith(digest, 'awaiting_approval');
    const path = await linkOfTheMail(digest);
    expect(await answerOf(path)).toMatchObject({ status: 200, body: expect.stringContaining('approve') });
    const follow = await ask(`${path}/events`, { Accept: 'text/event-stream' });
    const latest = latestOf(follow);
    await eventually('the first event comes at once', () => latest()?.['status'] === 'awaiting_approval');
    await approve(path);
    const meanwhile = new Set<number | undefined>();
    const end = async () => {
      meanwhile.add((await answerOf('/version')).status);
      return latest()?.['status'] === 'succeeded';
    };
    await eventually('the stream tells the end', end);
    // A request that nginx holds until the new Gitea listens is answered by that one.
    expect([...meanwhile].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(JSON.parse((await answerOf('/version')).body)).toMatchObject({ version: '2.0.0', schema: 2 });
    expect(await updateWith(digest, 'succeeded')).toMatchObject({ backup: { bytes: expect.any(Number) } });
  });

  it('nginx says that Gitea is away and will come back, while it is away', async () => {
    const statusIs = (wanted: number) => async (): Promise<boolean> => (await answerOf('/version')).status === wanted;
    await stack.composed('stop', 'gitea');
    await eventually('nginx answers 503', statusIs(503), { everyMs: 100 });
    await stack.composed('start', 'gitea');
    await eventually('Gitea answers again', statusIs(200));
  });

  /** The other mails lead to pages that decide nothing. */
  async function linkOfTheMail(digest: string): Promise<string> {
    const script = `
      const names = fs.existsSync('/data/mail') ? fs.readdirSync('/data/mail') : [];
      names.filter((name) => name.endsWith('.eml')).map((name) => fs.readFileSync('/data/mail/' + name, 'utf8')).join('\\f')`;
    const read = async () => {
      const mails = (await stack.composed('exec', '-T', 'diun-pilot', 'node', '-p', script)).split('\f');
      const offer = mails.map((mail) => mail.replace(/=\r?\n/g, '')).find((mail) => mail.includes(digest));
      return new RegExp(`https://${DOMAIN}(/approvals/[A-Za-z0-9._~-]+)`).exec(offer ?? '')?.[1];
    };
    return eventually('the mail with the link is there', read, { timeoutMs: 600_000 });
  }

  /** The update as the last event told it. */
  function latestOf(stream: IncomingMessage): () => UpdateTold | null {
    let told = '';
    stream.setEncoding('utf8').on('data', (part: string) => (told += part));
    stream.on('error', () => undefined);
    stage.closing(() => stream.destroy());
    return () => {
      const data = told
        .match(/^data: .*(?=\n\n)/gm)
        ?.at(-1)
        ?.slice('data: '.length);
      return data === undefined ? null : (JSON.parse(data) as UpdateTold);
    };
  }

  async function approve(path: string): Promise<void> {
    const container = String((await stack.container('gitea'))['Name']).slice(1);
    const form = `curl --silent --insecure --resolve ${DOMAIN}:443:127.0.0.1 --output /dev/null --write-out '%{http_code}' --data decision=approve --data name=${container} https://${DOMAIN}${path}`;
    expect(await stack.composed('exec', '-T', 'nginx', 'sh', '-c', form)).toBe('303');
  }

  it('`docker compose up -d` afterwards changes nothing', async () => {
    const before = await stack.ids();
    await stack.composed('up', '--detach');
    expect(await stack.ids()).toEqual(before);
  });
});

it('`docker compose down -v` leaves nothing', async () => {
  await stack.composed('down', '--volumes', '--timeout', '5');
  const ours = `label=com.docker.compose.project=${stack.project}`;
  const left = ['ps --all', 'volume ls', 'network ls'].map((list) =>
    stage.lab.docker.lines([...list.split(' '), '--quiet', '--filter', ours]),
  );
  expect((await Promise.all(left)).flat()).toEqual([]);
});
