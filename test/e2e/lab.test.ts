import { statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { composeProject, type ComposeProject } from '../lab/compose';
import { diunProgram } from '../lab/diun/real-diun';
import { about, recordedRequest, send } from '../lab/diun/recorded-requests';
import { replayedDiun } from '../lab/diun/replayed-diun';
import { connectLab } from '../lab/lab-environment';
import { buildPilotImage } from '../lab/images/pilot-image';
import { LIVE_NGINX_SITE, type ImageName } from '../lab/images/recipes';
import { viewSocket, type Lab } from '../lab/lab';
import { NO_SCHEDULES } from '../lab/pilot';
import { eventually } from '../support/eventually';

// The lab's own promises: the other end-to-end tests build on them.
let lab: Lab;
const projects: ComposeProject[] = [];
const receivers: (Server | TcpServer)[] = [];

beforeAll(async () => {
  lab = await connectLab();
});

afterEach(async () => {
  for (const project of projects.splice(0)) await project.down();
  for (const receiver of receivers.splice(0)) receiver.close();
});

function project(yaml: string, files: Record<string, string> = {}): ComposeProject {
  const made = composeProject(lab, 'lab', yaml, files);
  projects.push(made);
  return made;
}

const nginx = (image: string) => `
services:
  web:
    image: ${image}
    restart: always
    labels: { diun.enable: 'true' }
    ports: ['127.0.0.1::80']
    volumes: ['./conf:/etc/nginx/conf.d:ro', '/cache']
`;
const site = { 'conf/site.conf': LIVE_NGINX_SITE };

describe('the registry', () => {
  it('gives a published tag a new digest and leaves the tag of the engine where it is', async () => {
    const name = `lab-test/publish:${Date.now()}`;
    const first = await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, name);
    const before = await lab.docker.inspect('image', lab.registry.reference(name));
    const second = await lab.registry.publish(lab.images.NGINX_GOOD_2, name);
    const after = await lab.docker.inspect('image', lab.registry.reference(name));

    expect(second).not.toBe(first);
    expect((await lab.registry.tagged(name))?.digest).toBe(second);
    expect(after?.['Id']).toBe(before?.['Id']);
    const digests = (after?.['RepoDigests'] as string[]).filter((name) =>
      name.startsWith(lab.registry.reference('lab-test/publish')),
    );
    expect(digests).toEqual([`${lab.registry.reference('lab-test/publish')}@${first}`]);
  });

  it('gives a multi-platform tag the digest of its index, and the engine its own platform', async () => {
    const name = `lab-test/multi:${Date.now()}`;
    const digest = await lab.registry.publishIndex(name, [
      { image: lab.images.NGINX_GOOD_1, platform: { os: 'linux', architecture: 'amd64' } },
      { image: lab.images.NGINX_GOOD_2, platform: { os: 'linux', architecture: 'arm64' } },
    ]);
    await lab.docker.run(['pull', '--quiet', '--platform', 'linux/amd64', lab.registry.reference(name)]);
    const pulled = await lab.docker.inspect('image', lab.registry.reference(name));
    const wanted = await lab.docker.inspect('image', lab.images.NGINX_GOOD_1);

    expect(pulled?.['Id']).toBe(wanted?.['Id']);
    expect(pulled?.['RepoDigests']).toContain(`${lab.registry.reference('lab-test/multi')}@${digest}`);
  });

  it('has another digest for a variant of the same image', async () => {
    const mark = String(Date.now());
    const variant = await lab.variantOf(lab.images.POSTGRES_15, mark);
    const digests = await Promise.all(
      [lab.images.POSTGRES_15, variant].map((image, i) => lab.registry.publish(image, `lab-test/variant:${mark}-${i}`)),
    );
    expect(digests[0]).not.toBe(digests[1]);
  });
});

describe('a compose project', () => {
  it('tells what was created, recreated and left alone', async () => {
    const web = project(nginx(lab.images.NGINX_GOOD_1), site);
    expect(await web.up()).toEqual({ created: ['web'], recreated: [], untouched: [] });
    expect(await web.up()).toEqual({ created: [], recreated: [], untouched: ['web'] });
    web.write(nginx(lab.images.NGINX_GOOD_2));
    expect(await web.up()).toEqual({ created: [], recreated: ['web'], untouched: [] });
    const page = async () => (await fetch(await web.url('web', 80))).text();
    expect(await eventually('the page is served', page)).toMatch(/^good-2 nginx\/\d/);
  });

  it('leaves nothing behind, not even an anonymous volume that was handed on', async () => {
    const web = project(nginx(lab.images.NGINX_GOOD_1), site);
    await web.up();
    const volume = String(
      (await web.container('web'))['Mounts'].find(({ Type }: { Type: string }) => Type === 'volume').Name,
    );
    await web.down();
    expect((await web.containers()).size).toBe(0);
    expect(await lab.docker.inspect('volume', volume)).toBeNull();
    expect(await lab.docker.inspect('network', `${web.name}_default`)).toBeNull();
  });
});

describe('the nginx images', () => {
  const started = async (image: ImageName) => {
    const web = project(nginx(lab.images[image]), site);
    await web.up();
    return web;
  };
  const state = async (web: ComposeProject) => (await web.container('web'))['State'];

  it.each<[ImageName, number]>([
    ['NGINX_GOOD_1', 0],
    ['NGINX_GOOD_2', 0],
    ['NGINX_CONFIG_BREAKING', 1],
    ['NGINX_NEVER_HEALTHY', 0],
    ['NGINX_CRASH_LOOPING', 0],
    ['NGINX_SLOW', 0],
  ])('%s judges the live configuration with code %i', async (image, code) => {
    const web = project(nginx(lab.images[image]), site);
    const mount = `${web.dir}/conf:/etc/nginx/conf.d:ro`;
    const test = ['run', '--rm', '--label', lab.label, '--volume', mount, lab.images[image], 'nginx', '-t'];
    expect((await lab.docker.attempt(test)).code).toBe(code);
  });

  it('never healthy: runs, and is unhealthy', async () => {
    const web = await started('NGINX_NEVER_HEALTHY');
    await eventually('it is unhealthy', async () => (await state(web)).Health.Status === 'unhealthy');
    expect((await state(web)).Running).toBe(true);
  });

  it('crash-looping: is restarted again and again', async () => {
    const web = await started('NGINX_CRASH_LOOPING');
    await eventually('it restarted twice', async () => (await web.container('web'))['RestartCount'] >= 2);
  });

  it('slow: is healthy in the end, and was not at once', async () => {
    const web = await started('NGINX_SLOW');
    expect((await state(web)).Health.Status).toBe('starting');
    await eventually('it is healthy', async () => (await state(web)).Health.Status === 'healthy', {
      timeoutMs: 300_000,
    });
  });
});

describe('the image of diun-pilot', () => {
  it('starts as another user than root, answers, and is healthy by its own check', async () => {
    const image = await buildPilotImage(lab);
    const socket = viewSocket(lab);
    const group = String(statSync(socket).gid);
    const pilot = project(`
services:
  pilot:
    image: ${image}
    environment: ${JSON.stringify(NO_SCHEDULES)}
    group_add: ['${group}']
    ports: ['127.0.0.1::8080']
    healthcheck: { interval: 1s }
    volumes: ['data:/data', '${socket}:/var/run/docker.sock']
volumes: { data: {} }
`);
    await pilot.up();
    const health = async () => (await pilot.container('pilot'))['State'].Health.Status === 'healthy';
    await eventually('it is healthy', health);
    expect(await pilot.exec('pilot', 'node', '-p', 'process.getuid()')).toBe('1000');
    const answer = await fetch(`${await pilot.url('pilot', 8080)}/health`);
    expect((await answer.json()).checks.docker.status).toBe('ok');
  });
});

describe('Diun', () => {
  interface Call {
    image: string;
    digest: string;
    metadata: { ctn_id: string; ctn_names: string };
  }

  /** Notes the bodies that arrive with the right token. */
  async function receiver(): Promise<{ url: string; calls: Call[] }> {
    const calls: Call[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (request.headers.authorization === 'Bearer lab') calls.push(JSON.parse(body));
        response.writeHead(202).end();
      });
    });
    receivers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
  }

  const program = process.env['DIUN_BIN'];
  const kinds = program ? (['real', 'replayed'] as const) : (['replayed'] as const);

  it.each(kinds)('%s: reports a tag whose digest changed, and nothing at the first look', async (kind) => {
    const name = `lab-test/diun-${kind}:stable`;
    await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, name);
    const web = project(nginx(lab.registry.reference(name)), site);
    await web.up();
    const { url, calls } = await receiver();
    const target = { baseUrl: url, token: 'lab', say: () => undefined };
    const diun = program && kind === 'real' ? await diunProgram(lab, target, program) : await replayedDiun(lab, target);
    try {
      expect(calls).toEqual([]);
      const digest = await lab.registry.publish(lab.images.NGINX_GOOD_2, name);
      const call = await eventually('Diun reports it', () => calls[0]);
      expect(call).toMatchObject({ image: lab.registry.reference(name), digest });
      expect(call.metadata.ctn_id).toBe((await web.container('web'))['Id']);
    } finally {
      await diun.stop();
    }
  });

  it('is replayed byte for byte', async () => {
    let raw = '';
    const server = createTcpServer((socket) => {
      socket.on('data', (chunk) => {
        raw += chunk.toString();
        if (raw.endsWith(recorded.body))
          socket.end('HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      });
    });
    receivers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const recorded = about(recordedRequest('update-same-tag-second-container'), {});
    await send(recorded, `http://${host}`, 'Bearer recorded-token');
    const headers = recorded.headers.map(([name, value]) => `${name}: ${name === 'Host' ? host : value}\r\n`).join('');
    expect(raw).toBe(`POST /webhooks/diun HTTP/1.1\r\n${headers}\r\n${recorded.body}`);
  });
});
