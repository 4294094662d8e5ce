import autocannon from 'autocannon';
import { type Lab, projectName } from '../lab/lab';
import { type Pilot, startPilot } from '../lab/pilot';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { eventually } from '../support/eventually';
import { requestAndWait } from './downtime';
import { percentile, report } from './report';
import { body } from './webhook';

const SIZES = [10, 50, 100, 200];
/** Tags of one repository, each run by several containers. */
const TAGS = 20;
const STARTED_AT_ONCE = 4;
const PAGES = 15;
const WEBHOOK_SECONDS = 10;
const WEBHOOKS_PER_SECOND = 50;
const PATIENCE = { timeoutMs: 600_000 };

/** How the figures grow with the number of watched containers. Goals hold at the largest size. */
export async function run(lab: Lab, sizes: readonly number[] = SIZES): Promise<void> {
  const host = new Host(lab);
  try {
    for (const size of sizes) {
      await host.growTo(size);
      await measure(lab, host, size);
    }
  } finally {
    await host.empty();
  }
}

async function measure(lab: Lab, host: Host, size: number): Promise<void> {
  const tell = figuresOf(size);
  const proxy = engineProxy(lab);
  await proxy.mend();
  const begin = performance.now();
  const env = { DOCKER_HOST: proxy.dockerHost, PILOT_RECONCILE_SCHEDULE: '0 4 * * *', PILOT_LOG_LEVEL: 'info' };
  const pilot = await startPilot(lab, { env });
  try {
    tell('start to the first /health', (performance.now() - begin) / 1000, 's', 2);
    await worstDelay(pilot); // the start of the process itself: modules are loaded
    const reconciling = performance.now();
    await eventually('the service has reconciled', () => Promise.resolve(hasReconciled(pilot)), PATIENCE);
    tell('reconcile', (performance.now() - reconciling) / 1000, 's', 30);
    tell('worst event-loop delay, reconcile after the start', await worstDelay(pilot), 'ms', 50);
    await pages(pilot, tell);
    await webhooks(pilot, tell);
    tell('engine calls of an update', await callsOfUpdate(lab, host, pilot, proxy), 'calls', 150);
  } finally {
    await pilot.stop();
    await proxy.cut();
  }
}

type Tell = (what: string, value: number, unit: string, goal: number, against?: string) => void;

function figuresOf(size: number): Tell {
  const isLargest = size === SIZES.at(-1);
  return (what, value, unit, bound, against) => {
    const goal = isLargest ? ({ sign: '≤', bound } as const) : null;
    report({ what: `${size} containers: ${what}`, value, unit, goal, ...(against === undefined ? {} : { against }) });
  };
}

function hasReconciled(pilot: Pilot): boolean {
  return pilot.log().some(({ message, timer }) => message === 'timer done' && timer === 'reconcile');
}

/** Milliseconds since it was asked last: Node's histogram starts again with each answer. */
async function worstDelay(pilot: Pilot): Promise<number> {
  const text = await (await pilot.request('/metrics')).text();
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1] ?? NaN) * 1000;
}

async function page(pilot: Pilot): Promise<number> {
  const authorization = `Basic ${Buffer.from(`operator:${pilot.apiToken}`).toString('base64')}`;
  const begin = performance.now();
  const answer = await pilot.request('/', { headers: { Authorization: authorization, Accept: 'text/html' } });
  await answer.text();
  if (!answer.ok) throw new Error(`the page is answered ${answer.status}`);
  return performance.now() - begin;
}

async function pages(pilot: Pilot, tell: Tell): Promise<void> {
  const times: number[] = [];
  for (let each = 0; each < PAGES; each++) times.push(await page(pilot));
  const slowest = `median of ${PAGES}; slowest ${Math.max(...times).toFixed(0)} ms`;
  tell('page', percentile(times, 0.5), 'ms', 300, slowest);
  tell('worst event-loop delay, pages', await worstDelay(pilot), 'ms', 50);
}

/** Each page reads all containers, and so does each batch of webhooks: one scan follows the other. */
async function webhooks(pilot: Pilot, tell: Tell): Promise<void> {
  let scanning = true;
  const scans = (async () => {
    while (scanning) await page(pilot);
  })();
  const answered = await autocannon({
    url: `${pilot.url}/webhooks/diun`,
    method: 'POST',
    duration: WEBHOOK_SECONDS,
    connections: 5,
    overallRate: WEBHOOKS_PER_SECOND,
    headers: { authorization: `Bearer ${pilot.webhookToken}` },
    requests: [{ setupRequest: (request) => ({ ...request, body: body() }) }],
  });
  scanning = false;
  await scans;
  if (answered.non2xx + answered.errors > 0) throw new Error(`${answered.non2xx + answered.errors} webhooks failed`);
  tell(
    'webhook acknowledgement during scans, p99',
    answered.latency.p99,
    'ms',
    25,
    `median ${answered.latency.p50} ms, slowest ${answered.latency.max} ms`,
  );
  tell('worst event-loop delay, webhooks and pages', await worstDelay(pilot), 'ms', 50);
}

async function callsOfUpdate(lab: Lab, host: Host, pilot: Pilot, proxy: EngineProxy): Promise<number> {
  const image = await lab.variantOf(lab.images.APP_1, `growth-${performance.now().toFixed(0)}`);
  await lab.registry.publish(image, host.updatedTag);
  const before = proxy.calls.length;
  await requestAndWait(pilot, { container: host.updated }, 'succeeded');
  return proxy.calls.length - before;
}

/** Containers of the lab's application image that do nothing, all watched and manual. */
class Host {
  readonly updatedTag = 'growth/updated:1';
  readonly updated: string;
  readonly #prefix: string;
  #names: string[] = [];

  constructor(private readonly lab: Lab) {
    this.#prefix = projectName(lab.id, 'growth');
    this.updated = `${this.#prefix}-updated`;
  }

  async growTo(size: number): Promise<void> {
    if (this.#names.length === 0) {
      const { registry, images } = this.lab;
      await registry.publishAndPull(images.APP_1, this.updatedTag);
      for (let tag = 0; tag < TAGS; tag++) await registry.publishAndPull(images.APP_1, `growth/app:${tag}`);
      await this.#start(this.updated, this.updatedTag);
    }
    while (this.#names.length < size) {
      const first = this.#names.length;
      const few = Array.from({ length: Math.min(STARTED_AT_ONCE, size - first) }, (_, i) => first + i);
      await Promise.all(few.map((each) => this.#start(`${this.#prefix}-${each}`, `growth/app:${each % TAGS}`)));
    }
  }

  async #start(name: string, tag: string): Promise<void> {
    const labels = [this.lab.label, 'diun.enable=true', 'update.policy=manual', 'update.probe=docker'];
    const own = [...labels.flatMap((label) => ['--label', label]), '--network', 'none', '--stop-timeout', '1'];
    this.#names.push(name);
    const run = ['run', '--detach', '--name', name, '--entrypoint', 'sleep', ...own];
    await this.lab.docker.run([...run, this.lab.registry.reference(tag), 'infinity']);
  }

  async empty(): Promise<void> {
    if (this.#names.length > 0) await this.lab.docker.run(['rm', '--force', '--volumes', ...this.#names]);
  }
}
