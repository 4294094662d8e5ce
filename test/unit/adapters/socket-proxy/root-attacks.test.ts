import { callMatcher } from '../../../../src/adapters/docker/socket-proxy/call-filter';
import { ENGINE_CALLS } from '../../../../src/adapters/docker/calls';
import { createGuard, RULES } from '../../../../src/adapters/docker/socket-proxy/guard/guard';
import { judgeRequest } from '../../../../src/adapters/docker/socket-proxy/judge-request';
import { readObject } from '../../../../src/adapters/docker/socket-proxy/guard/strict';
import { createRequest } from '../../../../src/domain/recreate/create-request';
import { FakeEngine } from '../../../support/fake-engine';
import { sightOfFake } from '../../../support/guarded-engine';
import { rootAttacks, type Attack, type Attacked } from '../../../support/root-attacks';
import { nginx } from '../../../support/scene';
import { TestClock } from '../../../support/test-clock';

// The same table is sent to the real engine in test/e2e/root-attacks.test.ts.
const engine = new FakeEngine(new TestClock());
engine.addImage({ reference: 'nginx:stable' });
engine.addImage({ reference: 'evil.example/root:1' });

function sameAs(name: string) {
  const container = engine.container(name);
  const image = engine.host.images.inspect(container.Image);
  const reference = container.Config.Image;
  return createRequest({ container, oldImage: image, newImage: image, reference }).body;
}

function attacked(): Attacked {
  engine.runContainer(nginx({ name: 'web', hostConfig: { Binds: ['/srv/web:/data'] } }));
  engine.runContainer(nginx({ name: 'agent', ports: {}, hostConfig: { Binds: ['/:/host'] } }));
  const labels = { 'diun.enable': 'false' };
  engine.runContainer(nginx({ name: 'root', ports: {}, labels, hostConfig: { Privileged: true, Binds: ['/:/host'] } }));
  engine.runContainer(
    nginx({ name: 'disk', ports: {}, hostConfig: { Binds: ['/srv/engine:/engine', '/srv/engine:/run/engine:ro'] } }),
  );
  return {
    ...{ disk: engine.container('disk'), evilTag: 'evil.example/root:1' },
    ...{ web: 'web', same: sameAs('web'), agent: engine.container('agent'), agentSame: sameAs('agent') },
    ...{ root: engine.container('root'), evil: engine.host.images.inspect('evil.example/root:1').Id },
  };
}

const scene = attacked();
const attacks = rootAttacks(scene);
const match = callMatcher(ENGINE_CALLS);

async function outcome(guard: ReturnType<typeof createGuard>, { method, url, body }: Attack): Promise<string> {
  const matched = match({ method, url, contentType: 'application/json' });
  if (matched === null) return 'not listed';
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
  const sent = method === 'PUT' ? null : Buffer.from(text);
  const judged = await judgeRequest(guard, () => sightOfFake(engine), { matched, isHead: false, body: sent });
  return 'reason' in judged ? judged.reason : 'passes';
}

test.each(attacks.map((attack) => [attack.name, attack] as const))('refused: %s', async (_name, attack) => {
  expect(await outcome(createGuard(), attack)).not.toBe('passes');
});

test('the table has over 120 ways, as the threat model says, and each has a name of its own', () => {
  expect(attacks.length).toBeGreaterThan(120);
  expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length);
});

test.each(['web', 'agent'])('the same container passes: %s', async (name) => {
  const url = `/v1.45/containers/create?name=${name}.diun-pilot-new-0123456789`;
  expect(await outcome(createGuard(), { name, method: 'POST', url, body: sameAs(name) })).toBe('passes');
});

test('a MAC address that the engine shows of a running container only is its own after a stop through the proxy', async () => {
  engine.host.generatesMacs = true;
  engine.runContainer(nginx({ name: 'mac', ports: {}, networks: ['lan'] }));
  const same = sameAs('mac');
  const other = { lan: { MacAddress: 'be:5d:00:00:ff:ff' } };
  const url = '/v1.45/containers/create?name=mac.diun-pilot-new-0123456789';
  const create = (guard: ReturnType<typeof createGuard>, body: object): Promise<string> =>
    outcome(guard, { name: '', method: 'POST', url, body });
  const guard = createGuard();
  expect(await outcome(guard, { name: '', method: 'POST', url: '/v1.45/containers/mac/stop' })).toBe('passes');
  engine.host.stop(engine.host.find('mac'));
  const refused = 'MacAddress in the network lan is not that of the container it replaces';
  expect(await create(guard, same)).toBe('passes');
  expect(await create(guard, { ...same, NetworkingConfig: { EndpointsConfig: other } })).toBe(refused);
  expect(await create(createGuard(), same)).toBe(refused);
  engine.host.generatesMacs = false;
});

describe('a container that Compose left without its name', () => {
  const rename = async (left: string, name: string, labels: Record<string, string> = {}): Promise<string> => {
    engine.runContainer(nginx({ name: left, ports: {}, labels }));
    const url = `/v1.45/containers/${left}/rename?name=${name}`;
    const told = await outcome(createGuard(), { name: left, method: 'POST', url });
    engine.host.containers.delete(engine.container(left).Id);
    return told;
  };
  const elsewhere = 'a container keeps its own name, with or without an ending of diun-pilot';

  test('may be given it', async () => expect(await rename('0123456789ab_db', 'db')).toBe('passes'));
  test.each([
    ['another', '0123456789ab_db', 'other', {}],
    ['that of diun-pilot', '0123456789ab_db', 'db.diun-pilot-old-0123456789', {}],
    ['one of no ID', '0123456789xy_db', 'db', {}],
    ['one that is not opened', '0123456789ab_db', 'db', { 'diun.enable': 'false' }],
    ['one that is not of Compose', '0123456789ab_db', 'db', { 'com.docker.compose.service': '' }],
  ])('but not %s', async (_what, left, name, labels) => expect(await rename(left, name, labels)).toBe(elsewhere));
});

describe('a container without a label of its own', () => {
  const named = (service: string, depends: string, more: Record<string, string> = {}) => ({
    'diun.enable': 'false',
    'com.docker.compose.project': 'shop',
    'com.docker.compose.service': service,
    'com.docker.compose.depends_on': depends,
    ...more,
  });
  /** The acts that pass on `worker`, among others of its project. */
  async function acts(worker: Record<string, string>, others: Record<string, Record<string, string>>) {
    const all = Object.fromEntries(
      Object.entries({ ...others, worker }).map(([name, labels]) => [`shop-${name}`, labels]),
    );
    for (const [name, labels] of Object.entries(all)) engine.runContainer(nginx({ name, ports: {}, labels }));
    const passed: string[] = [];
    for (const act of [
      'start',
      'stop',
      'restart',
      'wait',
      'update',
      'rename?name=shop-worker.diun-pilot-old-0123456789',
    ]) {
      const body = act === 'update' ? { RestartPolicy: { Name: 'no' } } : {};
      const url = `/v1.45/containers/shop-worker/${act}`;
      if ((await outcome(createGuard(), { name: act, method: 'POST', url, body })) === 'passes') passed.push(act);
    }
    if (
      (await outcome(createGuard(), { name: '', method: 'DELETE', url: '/v1.45/containers/shop-worker' })) === 'passes'
    )
      passed.push('remove');
    for (const name of Object.keys(all)) engine.host.containers.delete(engine.container(name).Id);
    return passed;
  }
  const MOVES = ['start', 'stop', 'restart', 'wait', 'update'];
  const db = named('db', '', { 'backup.kind': 'postgres' });
  const web = named('web', '', { 'diun.enable': 'true' });
  const onDb = 'db:service_healthy:false';

  test.each([
    ['that writes to a database with a backup', named('worker', onDb), { db }],
    ['of which a dependency is updated', named('worker', 'x:service_started:false,web:service_started:true'), { web }],
    [
      'that is restarted with one that is restarted with it',
      named('worker', 'between:service_started:true'),
      { web, between: named('between', 'web:service_started:true') },
    ],
  ])('moves where it is one %s, and stays', async (_what, worker, others) => {
    expect(await acts(worker, others)).toEqual(MOVES);
  });

  test.each([
    ['that depends on nothing', named('worker', ''), { db, web }],
    ['of another project', named('worker', onDb, { 'com.docker.compose.project': 'other' }), { db }],
    ['of no project', named('worker', onDb, { 'com.docker.compose.project': '' }), { db }],
    ['that depends on one without a label', named('worker', onDb), { db: named('db', '') }],
    [
      'that only depends on one that is restarted',
      named('worker', 'between:service_started:false'),
      { web, between: named('between', 'web:service_started:true') },
    ],
  ])('is left alone where it is one %s', async (_what, worker, others) =>
    expect(await acts(worker, others)).toEqual([]),
  );
});

describe('an image is removed', () => {
  const remove = (name: string): Promise<string> =>
    outcome(createGuard(), { name: '', method: 'DELETE', url: `/v1.45/images/${name}` });
  const idOf = (reference: string): string => engine.host.images.inspect(reference).Id;

  test('by its ID, when it was replaced', async () => {
    const old = idOf('nginx:stable');
    const before = engine.container('web').Image;
    expect(await remove(old)).toMatch(/^the image sha256:\w+ has a tag$/);
    engine.host.images.tags.delete('nginx:stable');
    expect(await remove(old)).toBe('root runs the image ' + before);
    const root = engine.container('root').Id;
    const kept = engine.host.containers.get(root)!;
    engine.host.containers.delete(root);
    expect([await remove(old), await remove(old.slice('sha256:'.length))]).toEqual(['passes', 'passes']);
    engine.host.containers.set(root, kept);
    engine.host.images.tag(old, 'nginx:stable');
  });

  test('by a tag that an undone update had made, never by one of an image that was built here', async () => {
    const { digest } = engine.publish('nginx:next');
    engine.host.images.tag(engine.host.images.pull(`nginx@${digest}`).id, 'nginx:next');
    expect(await remove('nginx:next')).toBe('passes');
    expect(await remove('docker.io/library/nginx:next')).toBe('passes');
    expect(await remove('nginx:elsewhere')).toBe('No such image: nginx:elsewhere');
  });
});

describe('in a container that is root on its host', () => {
  const run = async (probe: string, Cmd: string[], more: object = {}): Promise<string> => {
    const Binds = ['/var/run/docker.sock:/var/run/docker.sock'];
    const labels: Record<string, string> = probe === '' ? {} : { 'update.probe': probe };
    engine.runContainer(nginx({ name: 'socket', ports: {}, labels, hostConfig: { Binds } }));
    const url = '/v1.45/containers/socket/exec';
    const told = await outcome(createGuard(), { name: '', method: 'POST', url, body: { Cmd, ...more } });
    engine.host.containers.delete(engine.container('socket').Id);
    return told;
  };
  const curl = (url: string): string[] => ['curl', '-s', '-m', '5', '-w', '\ndiun-pilot-status:%{http_code}', url];
  const wget = (url: string): string[] => ['wget', '-q', '-T', '5', '-O', '-', url];
  const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
  const sockets = (inodes: string): string[] => [
    ...['sh', '-c'],
    `ls -l /proc/[0-9]*/fd 2>/dev/null | grep -oE 'socket:\\[(${inodes})\\]' || true`,
  ];

  test.each([
    ['', ['df', '-Pk', '/']],
    ['http://:8080/healthz', curl('http://127.0.0.1:8080/healthz')],
    ['http://:8080/healthz', wget('http://127.0.0.1:8080/healthz')],
    ['http://:80', wget('http://127.0.0.1:80/')],
    ['tcp://:5432', ['grep', '-h', ' 0A ', ...TABLES]],
    ['tcp://:5432', ['cat', ...TABLES]],
    ['nginx', ['cat', ...TABLES]],
    ['nginx', sockets('12|345')],
    ['gitea', curl('http://127.0.0.1:3000/api/healthz')],
    ['exec:id -u', ['id', '-u']],
  ])('its own probe %s runs: %j', async (probe, command) => expect(await run(probe, command)).toBe('passes'));

  test.each([
    ['', []],
    ['', ['df', '-Pk', '/', '/host']],
    ['http://:8080/healthz', curl('http://127.0.0.1:8081/healthz')],
    ['http://:8080/healthz', curl('file:///etc/shadow')],
    ['http://:8080/healthz', [...wget('http://127.0.0.1:8080/healthz'), '-O', '/host/x']],
    ['tcp://:5432', curl('http://127.0.0.1:5432/')],
    ['tcp://:5432', ['cat', '/etc/shadow']],
    ['', ['cat', ...TABLES]],
    ['tcp://:5432', sockets('12')],
    ['nginx', sockets("1)' /etc; id; '")],
    ['http://:99999/', curl('http://127.0.0.1:99999/')],
    ['exec:id -u', ['id']],
  ])('with the probe %s nothing else does: %j', async (probe, command) => {
    expect(await run(probe, command)).toMatch(/^socket can be root on its host/);
  });

  test('its probe has no environment of another', async () => {
    const told = await run('exec:id -u', ['id', '-u'], { Env: ['LD_PRELOAD=/x'] });
    expect(told).toMatch(/^socket can be root on its host/);
  });
});

describe('where the certificates of the host are mounted to be written', () => {
  const RENEW = ['certbot', 'renew', '--non-interactive', '--no-random-sleep-on-renew'];
  const ask = async (call: Partial<Attack>, role = 'certbot', Binds = ['/etc/letsencrypt:/etc/letsencrypt']) => {
    engine.runContainer(nginx({ name: 'certbot', ports: {}, labels: { 'renewal.role': role }, hostConfig: { Binds } }));
    const { method = 'POST', url = '', body } = call;
    const told = await outcome(createGuard(), { name: '', method, url: `/v1.45/containers/certbot${url}`, body });
    engine.host.containers.delete(engine.container('certbot').Id);
    return told;
  };
  const exec = (Cmd: string[], more: object = {}) => ({ url: '/exec', body: { Cmd, ...more } });
  const file = '/archive?path=/etc/letsencrypt/live/example.org/cert.pem';

  test('certbot renews', async () => expect(await ask(exec(RENEW))).toBe('passes'));
  test('a certificate is read', async () => expect(await ask({ method: 'GET', url: file })).toBe('passes'));
  test.each([
    ['another command', exec(['sh', '-c', 'id'])],
    ['a hook of certbot', exec([...RENEW, '--deploy-hook', 'id'])],
    ['an environment', exec(RENEW, { Env: ['PYTHONPATH=/x'] })],
    ['a file that is put into it', { method: 'PUT', url: '/archive?path=/etc/letsencrypt/renewal-hooks/deploy' }],
  ])('but not %s', async (_what, call) => {
    expect(await ask(call)).toMatch(/^certbot can be root on its host \(it mounts \/etc\/letsencrypt of the host\)/);
  });
  test('nor where it has another role, or more of the host', async () => {
    const more = ['/etc/letsencrypt:/etc/letsencrypt', '/var/run/docker.sock:/var/run/docker.sock'];
    expect(await ask(exec(RENEW), 'server')).toMatch(/^certbot can be root/);
    expect(await ask(exec(RENEW), 'certbot', more)).toMatch(/^certbot can be root/);
    expect(await ask({ method: 'GET', url: file }, 'certbot', more)).toMatch(/^certbot can be root/);
  });
});

describe('an nginx that is not opened', () => {
  const inRoot = (Cmd: string[], more: object = {}): Promise<string> =>
    outcome(createGuard(), { name: '', method: 'POST', url: '/v1.45/containers/root/exec', body: { Cmd, ...more } });

  test.each([[['nginx', '-t']], [['nginx', '-T']], [['nginx', '-s', 'reload']]])('is asked: %j', async (command) =>
    expect(await inRoot(command)).toBe('passes'),
  );
  test.each([
    [['nginx', '-s', 'stop'], {}],
    [['nginx', '-t', '-c', '/tmp/x'], {}],
    [['nginx', '-t'], { Env: ['LD_PRELOAD=/x'] }],
    [['nginx', '-t'], { User: 'nobody' }],
    [['df', '-Pk', '/'], {}],
  ])('but not: %j %j', async (command, more) => expect(await inRoot(command, more)).not.toBe('passes'));
});

test('what passes is sent in one spelling, and names containers by ID', async () => {
  const url = '/v1.45/containers/web/rename?name=web.diun-pilot-old-0123456789';
  const matched = match({ method: 'POST', url })!;
  const judged = await judgeRequest(createGuard(), () => sightOfFake(engine), {
    ...{ matched, isHead: false, body: Buffer.from(' {"toString": 1, "toString": 2} ') },
  });
  expect(judged).toMatchObject({ reason: 'this call has no body' });
  const empty = await judgeRequest(createGuard(), () => sightOfFake(engine), {
    ...{ matched, isHead: false, body: Buffer.from(' {} ') },
  });
  const { Id } = engine.container('web');
  expect(empty).toMatchObject({ path: `/v1.45/containers/${Id}/rename?name=web.diun-pilot-old-0123456789` });
  expect((empty as { body: Buffer }).body.toString()).toBe('{}');
});

test.each([
  ['{"Mounts":[{"ReadOnly":true,"readonly":false}]}', 'ReadOnly and readonly'],
  ['{"TaskTemplate":{"ContainerSpec":{"User":"1000","user":""}}}', 'User and user'],
  ['{"CapDrop":[],"CAPDROP":["ALL"]}', 'CapDrop and CAPDROP'],
  ['{"Dns":[],"Dn\u017f":[]}', 'Dns and Dn\u017f'],
  ['{"Links":[],"Lin\u212as":[]}', 'Links and Lin\u212as'],
  ['{"labels":{"a":"","A":""}}', 'a and A'],
])('Go reads two of the keys as one: %s', (text, which) => {
  expect(() => readObject(Buffer.from(text))).toThrow(`its body has the keys ${which}`);
});

test('the keys of a map are read in their case', () => {
  const text = '{"Labels":{"a":"1","A":"2"},"HostConfig":{"Tmpfs":{"/data":"","/Data":""}}}';
  expect(readObject(Buffer.from(text))).toEqual(JSON.parse(text));
});

test('a reason names what the request asks for', async () => {
  const told = await Promise.all(attacks.slice(0, 4).map((attack) => outcome(createGuard(), attack)));
  expect(told[0]).toBe('HostConfig.Binds is not that of the container it replaces');
  const named = attacks.find(({ name }) => name === 'binds for Binds')!;
  expect(await outcome(createGuard(), named)).toBe(
    'its body has the keys Binds and binds, which the engine reads as one',
  );
});

test('every call that changes something has a rule', () => {
  expect(ENGINE_CALLS.filter((call) => !/^(?:GET|HEAD) /.test(call) && !(call in RULES))).toEqual([]);
});
