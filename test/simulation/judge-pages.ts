import type { Express } from 'express';
import { pageUrl } from '../../src/decisions/approval-links';
import { restoreUrl, soakUrl } from '../../src/decisions/recovery-links';
import { decideById } from '../../src/decisions/approve';
import { readContainers } from '../../src/containers/read-containers';
import type { Update } from '../../src/domain/update';
import { approvalLinks } from '../../src/http/routes/approvals';
import { restoreLinks, soakLinks, viewLinks } from '../../src/http/routes/links';
import { createHttpApp } from '../../src/http/server';
import { Secret } from '../../src/lib/secret';
import { FakeEngine } from '../support/fake-engine';
import type { FakeHost } from '../support/fake-engine-host';
import type { Scene } from '../support/scene';
import { askApp, type Answered } from './ask-app';
import type { Happened } from './happened';
import { bearerOf } from './outsider';
import type { World } from './world';

type Must = (is: boolean, what: string) => void;

const TOKEN = 'api-token-of-the-simulation';
const AS_PROGRAM = { authorization: `Bearer ${TOKEN}`, accept: 'application/json' };
const AS_PERSON = {
  authorization: `Basic ${Buffer.from(`operator:${TOKEN}`).toString('base64')}`,
  accept: 'text/html',
};
/** What a page says where nobody thought of a value. */
const NO_WORDS = /\bundefined\b|\bNaN\b|\bnull\b|\[object \w+\]|Invalid Date/;
/** Rendering costs more than most of what happens in between. */
const ONE_IN = 4;
const SHOWN_AT_MOST = 3;

/** What programs and persons read of the state, rendered by the real code. */
export class PagesJudge {
  /** By others than an update, since the last one of it ended. */
  readonly #changedOutside = new Set<string>();
  #rests = 0;
  #app: { of: Scene; app: Express } | null = null;

  constructor(
    private readonly world: World,
    private readonly seen: { host: FakeHost; happened: Happened },
    private readonly scene: () => Scene,
    private readonly must: Must,
  ) {}

  /** `ended`: since the last quiet moment. */
  atRest(ended: readonly Update[]): void {
    for (const { container } of ended) if (container !== null) this.#changedOutside.delete(container);
    for (const name of this.seen.happened.touched) this.#changedOutside.add(name);
  }

  async look(isLast: boolean): Promise<void> {
    if (!isLast && this.#rests++ % ONE_IN !== 0) return;
    await this.#health();
    await this.#updates();
    await this.#operatorPage();
    await this.#livePages();
    await this.#links();
  }

  async #health(): Promise<void> {
    const { status, body } = await this.#ask('/health', {});
    const report = JSON.parse(body) as { status: string };
    this.must(status === (report.status === 'down' ? 503 : 200), `/health answers ${status}: ${body}`);
    this.must(report.status !== 'down', `/health says that it is down at rest: ${body}`);
  }

  /** The API says what the store has, and what runs is as it says. */
  async #updates(): Promise<void> {
    const { status, body } = await this.#ask('/updates?limit=100', AS_PROGRAM);
    this.must(status === 200, `/updates answers ${status}: ${body}`);
    if (status !== 200) return;
    const { updates } = JSON.parse(body) as { updates: Update[] };
    const stored = this.scene().updates().reverse().slice(0, 100);
    const told = (all: readonly Update[]): string => all.map((one) => `${one.id} ${one.status} ${one.reason}`).join();
    this.must(told(updates) === told(stored), '/updates does not say what the store has');
    for (const { spec } of this.world.services) this.#agrees(spec.name, updates);
  }

  #agrees(name: string, updates: readonly Update[]): void {
    const { host, happened } = this.seen;
    const bearer = bearerOf(host, name);
    const done = updates.filter(
      (each) => each.container === name && each.startedAt !== null && each.finishedAt !== null,
    );
    const [last] = done.sort((a, b) => `${b.finishedAt} ${b.id}`.localeCompare(`${a.finishedAt} ${a.id}`));
    // After a clock that was set back, the times do not say which of them was the last.
    const isUnordered = this.world.events.some((event) => event.kind === 'clock' && event.ms < 0);
    if (last === undefined || bearer === undefined || isUnordered || this.#changedOutside.has(name)) return;
    const { status, from, to } = last;
    const isBack = status === 'failed' || status === 'rolled_back';
    const shown = happened.image((status === 'succeeded' ? to : isBack ? from : null)?.digest);
    const what = `${name} is shown as ${status}, and another image runs`;
    this.must(shown === undefined || shown.id === bearer.inspect.Image, what);
  }

  async #operatorPage(): Promise<void> {
    const page = await this.#page('/');
    for (const { id, container } of this.scene().store.updates.withStatus('awaiting_approval'))
      this.must(page.includes(id), `the operator page does not show the update of ${container} that waits`);
  }

  async #livePages(): Promise<void> {
    for (const { id, status, container } of this.scene().updates().slice(-SHOWN_AT_MOST)) {
      const page = await this.#page(`/updates/${id}`);
      const words = status.replaceAll('_', ' ');
      const shown = /<p id="status"[^>]*>([^<]*)</.exec(page)?.[1] ?? '';
      this.must(shown.toLowerCase() === words, `the page of ${container} shows ${shown}, and it is ${words}`);
    }
  }

  /** As the mails have them. */
  async #links(): Promise<void> {
    const { deps, store } = this.scene();
    const all = this.scene().updates();
    const failed = all.findLast(({ status }) => status === 'rollback_failed');
    const restore = failed && restoreUrl(deps, failed, store.backups.get(failed.backupId ?? ''), true);
    const urls = [
      ...store.updates.withStatus('awaiting_approval').map((update) => pageUrl(deps, update)),
      ...store.soaks.open().map((soak) => soakUrl(deps, soak)),
      ...(restore ? [restore] : []),
      ...all.slice(-1).map((update) => pageUrl(deps, update)),
    ];
    for (const url of urls) await this.#page(new URL(url).pathname, [200, 404, 409, 410]);
  }

  /** What is read of it: neither its style nor its script. */
  async #page(path: string, expected: readonly number[] = [200]): Promise<string> {
    const { status, body } = await this.#ask(path, AS_PERSON);
    const read = body.replaceAll(/<(script|style)\b.*?<\/\1>/gs, '');
    this.must(expected.includes(status), `${path.replaceAll(/[0-9A-Z]{26}.*/g, '…')} answers ${status}`);
    const slip = NO_WORDS.exec(read);
    const around = read.slice(Math.max(0, (slip?.index ?? 0) - 80), (slip?.index ?? 0) + 80);
    this.must(slip === null, `a page says ${slip?.[0]}: ${around}`);
    return body;
  }

  #ask(path: string, headers: Record<string, string>): Promise<Answered> {
    const scene = this.scene();
    if (this.#app?.of !== scene) this.#app = { of: scene, app: appOf(scene) };
    return askApp(this.#app.app, path, headers);
  }
}

/** Its calls of the engine are none of those that the schedule counts. */
function appOf(scene: Scene): Express {
  const engine = new FakeEngine(scene.clock, scene.engine.host);
  engine.address = scene.engine.address;
  const deps = { ...scene.deps, engine };
  const { store, clock, logger, mode, publicUrl, releaseNotes } = deps;
  const refuse = (): never => {
    throw new Error('a page was only read');
  };
  return createHttpApp({
    ...{ store, clock, logger, mode, publicUrl },
    version: '0.1.0',
    webhookTokens: [new Secret('webhook-token-of-the-simulation')],
    apiToken: new Secret(TOKEN),
    formSecret: new Secret('form-secret-of-the-simulation'),
    trustedProxies: [],
    channels: [],
    ...{ receiveWebhook: refuse, requestUpdate: refuse, requestBackups: refuse },
    ...{ requestRehearsal: refuse, requestRenewal: refuse },
    health: { pingEngine: () => engine.version(), scheduler: () => ({ status: 'ok' }) },
    containers: () => readContainers(engine, deps.selfId),
    swarm: () => Promise.resolve({ services: [] }),
    approvals: { ...approvalLinks(deps, refuse), decideById: (id, decided, by) => decideById(deps, id, decided, by) },
    restoreLinks: restoreLinks(deps, refuse),
    soakLinks: soakLinks(deps, refuse),
    viewLinks: viewLinks(deps),
    notesFetches: () => releaseNotes.fetches(),
    timers: () => [],
  });
}
