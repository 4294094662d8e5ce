import { asideName } from '../../src/containers/artifact-names';
import { isOpen, type Update } from '../../src/domain/update';
import type { KeptContainer } from '../../src/ports/stopped-containers';
import type { FakeEngine, Method } from '../support/fake-engine';
import type { FakeHost } from '../support/fake-engine-host';
import type { FakeContainer } from '../support/fake-engine-types';
import type { Scene } from '../support/scene';
import { isGood, type Happened } from './happened';
import { bearerOf } from './outsider';
import type { SimulatedDatabase } from './database';
import { PagesJudge } from './judge-pages';
import { SchemaJudge } from './judge-schemas';
import { SoakJudge } from './judge-soaks';
import { SiblingJudge } from './judge-siblings';
import { Ledger } from './ledger';
import { saysOfProbe } from './probes';
import { hasFiles } from './stage';
import { isGoodMake, LATE, staysUp, type Service, type World } from './world';

const FAILED = ['failed', 'rolled_back', 'rollback_failed'];
/** Nothing was done, since there was nothing to do it to. */
const NOT_BEGUN = ['container_not_running', 'container_not_found'];

const A_MONTH_MS = 30 * 86_400_000;

/** What the world is besides diun-pilot. */
export interface Seen {
  host: FakeHost;
  database: SimulatedDatabase;
  happened: Happened;
}

/** Looks whether what diun-pilot did and says agrees with the world. */
export class Judge {
  readonly violations: string[] = [];
  readonly #judged = new Set<string>();
  readonly #soaks: SoakJudge;
  readonly #ledger: Ledger;
  readonly #schemas: SchemaJudge;
  readonly #siblings: SiblingJudge;
  readonly #pages: PagesJudge;
  readonly #database: SimulatedDatabase;
  private readonly host: FakeHost;
  private readonly happened: Happened;

  constructor(
    private readonly world: World,
    { host, database, happened }: Seen,
    private readonly scene: () => Scene,
  ) {
    this.host = host;
    this.#database = database;
    this.happened = happened;
    const must = (is: boolean, what: string): void => this.#must(is, what);
    this.#ledger = new Ledger(world, { host, database, happened }, scene, must);
    this.#soaks = new SoakJudge(host, happened, scene, must);
    this.#schemas = new SchemaJudge(world, { host, database, happened }, must);
    this.#pages = new PagesJudge(world, { host, happened }, scene, must);
    this.#siblings = new SiblingJudge(world, { host, happened }, scene, must);
  }

  /** By then an outsider has started what it wanted. */
  outsiderActed(): void {
    this.#schemas.outsiderActed();
  }

  watch(engine: FakeEngine, changes: readonly Method[]): void {
    const { updates } = this.scene().store;
    const change = updates.change.bind(updates);
    updates.change = (id, fields) => {
      if (fields.finishedAt) this.happened.updateEnds(id);
      return change(id, fields);
    };
    this.#soaks.watch();
    this.#siblings.watch(engine);
    this.#ledger.watch(engine, changes);
    for (const method of changes) engine.onCall(method, ({ line }) => this.afterChange(line), { when: 'after' });
    engine.onCall('remove', ({ args: [id] }) => this.#beforeRemoval(id));
  }

  /** Until a new container was seen healthy, only an outsider removes the old one, or a month. */
  #beforeRemoval(id: unknown): void {
    this.#soaks.beforeRemoval(String(id));
    const name = this.host.containers.get(String(id))?.inspect.Name.slice(1);
    const scene = this.scene();
    const update = scene.updates().find((each) => asideName(each.container ?? '', 'old', each.id) === name);
    if (update === undefined || scene.store.updates.journal(update.id)?.stage === 'settled') return;
    const age = scene.clock.now().getTime() - Date.parse(update.finishedAt ?? '');
    this.#must(age >= A_MONTH_MS, `the way back of ${update.container} is removed (${update.status})`);
  }

  /** Holds at any moment. */
  afterChange(what: string): void {
    const writers = new Map<string, FakeContainer>();
    for (const container of this.#running())
      for (const { RW, Name, Source } of container.inspect.Mounts) {
        const volume = Name ?? Source;
        const other = writers.get(volume);
        const names = `${other?.inspect.Name} and ${container.inspect.Name}`;
        const theirs = [other, container].some((one) => this.happened.startedOutside.has(one?.inspect.Id ?? ''));
        if (RW && other !== undefined && !theirs)
          this.violations.push(`two writers on ${volume}: ${names}, after ${what}`);
        if (RW) writers.set(volume, container);
      }
  }

  /** Holds whenever nothing is left to do. */
  atRest(): void {
    for (const service of this.world.services) this.#serviceAtRest(service);
    const { store } = this.scene();
    const all = this.scene().updates();
    this.#must(store.updates.withStatus('running').length === 0, 'an update runs on at rest');
    for (const update of all) this.#updateAtRest(update);
    const ended = all.filter((update) => update.finishedAt !== null && !this.#judged.has(verdictOf(update)));
    for (const update of ended) this.#verdict(update, !all.some((other) => endedAfter(other, update)));
    for (const update of ended) this.#agreesWithProbe(update);
    for (const update of ended) this.#judged.add(verdictOf(update));
    this.#siblings.atRest(ended);
    this.#pages.atRest(ended);
    this.#mustStayInQuarantine(all);
    this.#soaks.atRest();
    this.#ledger.atRest();
    this.#schemas.atRest();
    this.#restoresAtRest();
    this.happened.atRest();
  }

  /** What is shown of it all, after `atRest`. */
  async pagesAtRest(isLast = false): Promise<void> {
    await this.#pages.look(isLast);
  }

  /** Users of every service that works write to it. */
  usersWrite(): void {
    this.#ledger.write();
  }

  #restoresAtRest(): void {
    const { restores, outbox } = this.scene().store;
    const mails = outbox.recent(500).filter(({ kind }) => kind === 'restore_ended').length;
    const ended = restores.list(100).filter(({ finishedAt }) => finishedAt !== null).length;
    this.#must(restores.open().length === 0, 'a restore that was requested is not done');
    this.#must(mails === ended, `${mails} mails about ${ended} restores`);
  }

  #updateAtRest({ id, container, status, hold, notBefore, steps }: Update): void {
    const { store } = this.scene();
    const waits = hold !== null || notBefore !== null;
    this.#must(status !== 'queued' || waits, `an update of ${container} waits in the queue without a reason`);
    this.#must(!steps.some((step) => step.status === 'running'), `a step of ${container} runs on`);
    const mails = store.outbox.recent(500).filter(({ updateId }) => updateId === id);
    const failed = mails.filter(({ kind }) => kind === 'update_failed').length;
    const succeeded = mails.filter(({ kind }) => kind === 'update_succeeded').length;
    // Of one that was rolled back in its soak both were true.
    const most = store.soaks.of(id) === null ? 1 : 2;
    this.#must(failed + succeeded <= most, `${failed + succeeded} mails of the verdict on ${container}`);
    this.#must(failed === (FAILED.includes(status) ? 1 : 0), `${failed} mails of failure, ${container} is ${status}`);
  }

  /** Holds when all faults are over and time has passed. */
  atEnd(): void {
    const { store } = this.scene();
    this.#must(store.inbox.pending(100).length === 0, 'an accepted webhook is not decided');
    for (const { status } of store.inbox.recent(200)) this.#must(status !== 'pending', 'an accepted webhook waits on');
    this.#soaks.atEnd();
    const all = this.scene().updates();
    this.#must(!all.some(({ status }) => status === 'queued'), 'an update waits in the queue at the end');
    this.#must(!all.some(({ status, finishedAt }) => !isOpen(status) && finishedAt === null), 'an end without a time');
    const names = [...this.host.containers.values()].map(({ inspect }) => inspect.Name.slice(1));
    // Of a service that was removed for good it is the last copy; of an update that did not see a healthy new container it is
    // the version from before, for a month: listed, and left to the operator.
    const forOperator = store.keptContainers
      .all()
      .filter((kept) => !names.includes(kept.container) || this.#isWayBack(kept));
    const isForOperator = (name: string): boolean => forOperator.some((kept) => kept.name === name);
    const kept = store.keptContainers.all().filter(({ name }) => !isForOperator(name));
    this.#must(kept.length === 0, `kept to the end: ${kept.map(({ reason }) => reason).join()}`);
    for (const name of names.filter((each) => each !== 'edge'))
      this.#must(
        isForOperator(name) || this.world.services.some(({ spec }) => spec.name === name),
        `a container is left over: ${name.replace(/[0-9a-z]{10}$/, '')}`,
      );
  }

  #isWayBack({ updateId, container, name, leftover }: KeptContainer): boolean {
    const wasHealthy = this.scene().store.updates.journal(updateId)?.stage === 'settled';
    return !leftover && !wasHealthy && name === asideName(container, 'old', updateId);
  }

  #serviceAtRest(service: Service): void {
    const { name, restart: policy = 'no' } = service.spec;
    const { store } = this.scene();
    const { mayBeDown } = this.happened;
    const bearer = bearerOf(this.host, name);
    if (bearer === undefined) return this.#must(this.happened.mayBeMissing(name), `no container has the name ${name}`);
    this.happened.isThere(name);
    const state = this.host.state(bearer);
    const good = staysUp(bearer.image.spec.health);
    if (state.Running) mayBeDown.delete(name);
    else this.#must(mayBeDown.has(name) || !good, `${name} does not run`);
    this.#siblings.tagAtRest(service, bearer);
    const own = bearer.inspect.HostConfig.RestartPolicy?.Name ?? 'no';
    if (state.Running) this.#must(own === policy, `restart policy of ${name} is ${own}, was ${policy}`);
    if (state.Running) this.#must(store.disarmed.find(bearer.inspect.Id) === null, `${name} runs disarmed`);
    for (const other of this.host.containers.values()) {
      const otherName = other.inspect.Name.slice(1);
      if (!otherName.startsWith(`${name}.diun-pilot-`)) continue;
      // One that the operator runs in place of its replacement goes on.
      const isTheirs = !state.Running && this.happened.startedOutside.has(other.inspect.Id);
      this.#must(isTheirs || !this.host.state(other).Running, `a container aside of ${name} runs`);
      this.#must(store.keptContainers.find(other.inspect.Id) !== null, `a container aside of ${name} is hidden`);
    }
    const files = this.host.files(bearer);
    if (hasFiles(service))
      this.#must(files.read('/data/first')?.toString() === name, `the data of ${name} is not what it was`);
  }

  /** A digest that the image itself failed at is not tried again, unless the operator asks. */
  #mustStayInQuarantine(all: readonly Update[]): void {
    const failed = new Set<string>();
    for (const { id, container, to, status, error, source } of all) {
      const key = `${container} ${to.digest}`;
      if (status === 'rolled_back' && error?.code === 'unhealthy') {
        this.#must(source === 'operator' || !failed.has(key), `${container} was tried again with a digest that failed`);
        if (!this.happened.cutShort.has(id)) failed.add(key);
      }
    }
  }

  /** In its soak an outsider may have removed it long before; diun-pilot itself does not (`#beforeRemoval`). */
  #hasNoWayBack(id: string): boolean {
    const { soaks } = this.scene().store;
    const old = soaks.of(id)?.oldContainerId;
    return old !== undefined && !this.host.containers.has(old);
  }

  #verdict(update: Update, isLast: boolean): void {
    const { id, container, status, reason, to, from, error, startedAt } = update;
    this.#schemas.verdict(update);
    const image = this.happened.image(to.digest);
    if (container === null || image === undefined || startedAt === null) return;
    const good = isGoodMake(image);
    const fadesLater = LATE.includes(image.health) && image.failsProbe !== true;
    const told = `${container} ${status} (${error?.code ?? ''}: ${error?.message ?? ''} / ${reason})`.replaceAll(
      /[0-9A-Z]{26}/g,
      '…',
    );
    if (status === 'succeeded') this.#must(good || fadesLater, `succeeded on a broken image: ${told}`);
    const undisturbed = this.happened.faults === 0;
    // What ran before may be broken itself, when an outsider has started it.
    const before = this.happened.image(from?.digest);
    const oldIsGood = before === undefined || isGoodMake(before);
    const blamesBroken = error?.code === 'other_unhealthy' && this.#runsBroken(container);
    // A database server that is down is neither dumped nor restored.
    const hasNoServer = this.world.services.some(({ role }) => role === 'database') && !this.#database.serves();
    const storageFails = this.happened.storageFails || this.happened.mayBeDown.size > 0 || hasNoServer;
    const mayFail = !undisturbed || !oldIsGood || blamesBroken || this.#hasNoWayBack(id) || storageFails;
    this.#must(mayFail || status !== 'rollback_failed', `a rollback failed without a fault: ${told}`);
    const mustSucceed =
      undisturbed &&
      good &&
      // Whose fault a failure in its soak is was judged when it was seen.
      this.scene().store.soaks.of(id) === null &&
      !blamesBroken &&
      !NOT_BEGUN.includes(error?.code ?? '') &&
      !(storageFails && /^(backup|storage)/.test(error?.code ?? ''));
    this.#must(!mustSucceed || !FAILED.includes(status), `a good image was refused without a fault: ${told}`);
    const bearer = bearerOf(this.host, container);
    if (this.happened.touched.has(container) || !isLast || status === 'rollback_failed') return;
    const expected = status === 'succeeded' ? image.id : FAILED.includes(status) ? before?.id : undefined;
    if (expected !== undefined)
      this.#must(bearer?.inspect.Image === expected, `the world is not as the verdict says: ${told}`);
  }

  /** A new version that is found broken by its probe alone fails with what that says; one that is verified passes it. */
  #agreesWithProbe({ container, to, from, status, error }: Update): void {
    const service = this.world.services.find(({ spec }) => spec.name === container);
    const image = this.happened.image(to.digest);
    if (service === undefined || image === undefined) return;
    const oldFails = this.happened.image(from?.digest)?.failsProbe === true;
    this.#must(status !== 'rolled_back' || !oldFails, `${container} is rolled back to a version that fails its probe`);
    const isByProbe = image.failsProbe === true && staysUp(image.health) && this.happened.faults === 0;
    if (isByProbe && error?.code === 'unhealthy')
      this.#must(
        saysOfProbe(service, error.message),
        `${container} fails, but not as its probe says: ${error.message}`,
      );
  }

  /** Whether another container runs an image that cannot work: only an outsider starts one and leaves it. */
  #runsBroken(than: string): boolean {
    const others = [...this.host.containers.values()].filter(({ inspect }) => inspect.Name !== `/${than}`);
    return others.some((other) => !isGood(other));
  }

  #running(): FakeContainer[] {
    return [...this.host.containers.values()].filter((container) => this.host.state(container).Running);
  }

  #must(is: boolean, what: string): void {
    if (!is) this.violations.push(what);
  }
}

/** One that was rolled back in its soak has had two. */
const verdictOf = ({ id, status }: Update): string => `${id} ${status}`;

/** In a soak an older update of the container is rolled back after a newer one. */
function endedAfter(other: Update, { id, container, finishedAt }: Update): boolean {
  if (other.container !== container || other.startedAt === null || other.id === id) return false;
  const [one, two] = [other.finishedAt ?? '', finishedAt ?? ''];
  return one === two ? other.id > id : one > two;
}
