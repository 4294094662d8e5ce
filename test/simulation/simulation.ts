import { endInterruptedBackups } from '../../src/backups/backup-queue';
import { adoptAside } from '../../src/containers/adopt-aside';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { codeOf, EngineError, messageOf } from '../../src/domain/errors';
import { rejoinGuests } from '../../src/networks/watch-networks';
import { workOnce } from '../../src/queue/worker';
import { memoryStorage } from '../support/memory-storage';
import { openScene, type Scene } from '../support/scene';
import { reusedDisk } from '../support/scene-disk';
import { SimulatedDatabase } from './database';
import { faultyStorage } from './faulty-storage';
import { Happened } from './happened';
import { Judge } from './judge';
import { operate } from './operator';
import { actOnHost } from './outsider';
import { publish, setStage } from './stage';
import { printed } from './transcript';
import {
  describe,
  type Act,
  type EngineEnd,
  type Make,
  type Mid,
  type OperatorAct,
  type Quiet,
  type World,
} from './world';

/** What came of one run of a world. */
export interface Outcome {
  violations: string[];
  /** Events, engine calls and verdicts in order, without random ids. */
  transcript: string[];
}

/** Breaks a rule on purpose, to show that the invariants notice. */
export type Sabotage = (scene: Scene) => void;

const TURNS = 400;
/** Longer than an approval is valid, also one that is asked for in the first of them. */
const DRAIN_ROUNDS = 6;
/** Into so many pieces a time is cut in which containers are observed. */
const LOOKS = 8;
/** Seconds in which this process itself ran: a machine that stops it is not a world that hangs. */
const HANGS_S = 60;
const CHANGES = [
  'createContainer',
  'rename',
  'updateContainer',
  'start',
  'stop',
  'remove',
  'restart',
  'tag',
  'untag',
] as const;

/** Plays a world to its end: every invariant is looked at after each change of the host and at each quiet moment. */
export async function simulate(world: World, sabotage: Sabotage = () => undefined): Promise<Outcome> {
  const simulation = new Simulation(world, sabotage);
  try {
    return await simulation.play();
  } finally {
    simulation.close();
  }
}

class Simulation {
  #scene = openScene(reusedDisk);
  readonly #stored = memoryStorage();
  readonly #database: SimulatedDatabase;
  readonly #happened: Happened;
  readonly #judge: Judge;
  /** Those that wait for their call, with how many calls are left to it. */
  #armed: { mid: Mid; left: number }[] = [];
  /** Of the operator, next to what the process does. */
  #underWay: Promise<void>[] = [];
  /** Set when the process must die now; resolves the race of `untilQuiet`. */
  #die: () => void = () => undefined;
  #after: () => void = () => undefined;

  constructor(
    private readonly world: World,
    private readonly sabotage: Sabotage,
  ) {
    const { engine } = this.#scene;
    this.#database = new SimulatedDatabase(world, engine.host);
    setStage(engine, world, this.#database);
    this.#happened = new Happened(world, engine.host, () => this.#scene);
    const seen = { host: engine.host, database: this.#database, happened: this.#happened };
    this.#judge = new Judge(world, seen, () => this.#scene);
    this.#equip();
  }

  async play(): Promise<Outcome> {
    await this.#start();
    for (const event of this.world.events) {
      if (this.#judge.violations.length > 0) break;
      if (event.kind === 'mid') {
        this.#armed.push({ mid: event, left: event.call });
        this.#arm(this.#armed.at(-1)!);
        continue;
      }
      this.#note(`* ${describe(event, this.world)}`);
      this.#judge.usersWrite();
      await this.#happen(event);
      await this.#untilQuiet();
      this.#judge.atRest();
      await this.#judge.pagesAtRest();
    }
    if (this.#judge.violations.length === 0) await this.#drain();
    return { violations: this.#judge.violations, transcript: printed(this.#scene.engine.transcript) };
  }

  close(): void {
    this.#scene.close();
  }

  /** All faults are over and time has passed: nothing may be left undone. */
  async #drain(): Promise<void> {
    this.#note('* all faults end, and a day passes');
    this.#armed = [];
    this.#scene = this.#scene.restart();
    this.#equip();
    await this.#start();
    this.#happened.storageFails = false;
    this.#scene.engine.host.images.away.clear();
    for (let round = 0; round < DRAIN_ROUNDS; round++) await this.#pass(26 * 3_600_000);
    this.#judge.atRest();
    this.#judge.atEnd();
    await this.#judge.pagesAtRest(true);
  }

  /** A new process on the same host and database. */
  #equip(): void {
    const { engine, deps } = this.#scene;
    // A probe is asked inside: no address of this world is one of this machine.
    engine.address = { host: 'engine.example', port: '2376' };
    deps.storage = faultyStorage(this.#stored, () => this.#happened.storageFails);
    this.#judge.watch(engine, CHANGES);
    this.#die = () => undefined;
    for (const each of this.#armed) this.#arm(each);
    this.sabotage(this.#scene);
  }

  #arm(each: { mid: Mid; left: number }): void {
    const { engine } = this.#scene;
    const from = engine.callCount;
    const { mid } = each;
    engine.onCall(
      from + each.left,
      () => {
        if (!this.#armed.includes(each)) return;
        this.#armed = this.#armed.filter((other) => other !== each);
        return this.#strike(mid);
      },
      { when: mid.when, once: true },
    );
    this.#counted.set(each, from);
  }
  readonly #counted = new Map<object, number>();

  #strike(mid: Mid): Promise<void> | void {
    this.#note(`! ${describe(mid, this.world)}`);
    this.#happened.faults++;
    if (mid.fault === 'crash' || (mid.fault === 'engine' && mid.end === 'host')) {
      this.#after = () => mid.fault === 'engine' && this.#endEngine('SIGKILL');
      this.#die();
      return new Promise(() => undefined);
    }
    if (mid.fault === 'engine') {
      this.#endEngine(mid.end);
      throw new EngineError('engine_unreachable', 'The connection was cut.');
    }
    if (mid.fault === 'refused') throw new EngineError('engine_refused', 'The simulated engine refuses.');
    if (mid.fault === 'outsider') this.#outsider(mid.service, mid.act);
    else if (mid.fault === 'publish') this.#publish(mid.service, mid, 1);
    else this.#underWay.push(this.#operate(mid.act));
  }

  async #operate(act: OperatorAct): Promise<void> {
    const answer = await operate(this.#scene, this.world, act);
    if (answer !== null) this.#note(`  answered: ${answer}`);
  }

  #endEngine(end: EngineEnd): void {
    this.#happened.engineEnds();
    this.#scene.engine.host.restartDaemon(end === 'host' ? 'SIGKILL' : end);
    this.#judge.afterChange(`the engine restarts (${end})`);
  }

  #outsider(service: number, act: Act): void {
    const acted = this.world.services[service];
    if (acted === undefined) return;
    this.#happened.outsiderActs(acted, act);
    try {
      actOnHost(this.#scene.engine, acted, act);
    } catch (error) {
      this.#note(`  the outsider fails: ${messageOf(error)}`);
    }
    this.#happened.outsiderActed(acted, act);
    this.#judge.outsiderActed();
    this.#judge.afterChange(`outsider: ${act}`);
  }

  #publish(service: number, make: Make, webhooks: number): void {
    const published = this.world.services[service];
    if (published === undefined) return;
    const image = publish(this.#scene.engine, published, make, this.#database);
    this.#happened.published(image, make);
    for (let sent = 0; sent < webhooks; sent++)
      this.#scene.hear(`docker.io/library/${published.spec.image}`, image.digest);
  }

  async #happen(event: Quiet): Promise<void> {
    const { deps, store, engine } = this.#scene;
    if (event.kind === 'publish') this.#publish(event.service, event, event.webhooks);
    else if (event.kind === 'outsider') this.#outsider(event.service, event.act);
    else if (event.kind === 'registry') {
      engine.host.images.away.clear();
      if (event.away) engine.host.images.away.add('docker.io');
    } else if (event.kind === 'storage') this.#happened.storageFails = event.fails;
    else if (event.kind === 'clock') await this.#pass(event.ms);
    else if (event.kind === 'reconcile') store.timers.ring('reconcile', deps.clock.now().toISOString());
    else if (event.kind === 'process') await this.#nextProcess();
    else if (event.kind === 'engine') {
      this.#endEngine(event.end);
      if (event.end === 'host') await this.#nextProcess();
    } else await this.#raced(() => this.#operate(event));
  }

  /** In pieces for as long as a container is in its soak, or an update waits for its window: there is something to be seen now and then. */
  async #pass(ms: number): Promise<void> {
    const { soaks, updates } = this.#scene.store;
    const waits = soaks.open().length > 0 || updates.withStatus('queued').length > 0;
    const pieces = ms > 0 && waits ? LOOKS : 1;
    for (let piece = 0; piece < pieces && this.#judge.violations.length === 0; piece++) {
      await this.#scene.clock.advance(ms / pieces);
      await this.#untilQuiet();
    }
  }

  async #nextProcess(): Promise<void> {
    this.#carryArmed();
    this.#scene = this.#scene.restart();
    this.#equip();
    await this.#start();
  }

  /** What was armed in the process that is gone strikes in the next one, after the calls that were left. */
  #carryArmed(): void {
    const calls = (each: object): number => this.#scene.engine.callCount - (this.#counted.get(each) ?? 0);
    for (const each of this.#armed) each.left = Math.max(1, each.left - calls(each));
  }

  async #start(): Promise<void> {
    await this.#raced(async () => {
      endInterruptedBackups(this.#scene.deps);
      await this.#insist(async () => {
        await adoptAside(this.#scene.deps);
        await rejoinGuests(this.#scene.deps);
      });
    });
  }

  /** As the worker's loops: what fails is tried again, and what strikes in a turn is seen by the next. A process that dies is followed by another. */
  async #untilQuiet(): Promise<void> {
    await this.#raced(async () => {
      const { deps } = this.#scene;
      for (let turn = 0; turn < TURNS; turn++) {
        let more = false;
        const { faults } = this.#happened;
        await this.#insist(async () => {
          const decided = (await handleInbox(deps)) > 0;
          more = (await workOnce(deps)) || decided;
        });
        const acts = this.#underWay.splice(0);
        await Promise.all(acts);
        more ||= acts.length > 0 || this.#happened.faults > faults;
        if (!more || this.#judge.violations.length > 0) return;
      }
      this.#judge.violations.push(`the queue does not come to rest in ${TURNS} turns`);
    });
  }

  async #insist(work: () => Promise<void>): Promise<void> {
    for (let failed = 0; failed < 12; failed++) {
      try {
        return await work();
      } catch (error) {
        this.#note(`  it must wait: ${codeOf(error)}: ${messageOf(error)}`);
        await this.#scene.clock.advance(3_000);
      }
    }
    this.#judge.violations.push('the worker fails again and again');
  }

  async #raced(work: () => Promise<void>): Promise<void> {
    const died = new Promise<'died'>((resolve) => (this.#die = () => resolve('died')));
    let timer: NodeJS.Timeout | undefined;
    let seconds = 0;
    const hangs = new Promise<'hangs'>((resolve) => {
      timer = setInterval(() => ++seconds === HANGS_S && resolve('hangs'), 1_000);
    });
    const how = await Promise.race([work(), died, hangs]);
    clearInterval(timer);
    if (how === 'hangs') this.#judge.violations.push('it hangs');
    if (how !== 'died') return;
    this.#underWay = [];
    this.#carryArmed();
    const old = this.#scene.engine;
    void old.crashAt(old.callCount + 1, 'before');
    this.#after();
    this.#after = () => undefined;
    this.#scene = this.#scene.restart();
    this.#equip();
    await this.#start();
    await this.#untilQuiet();
  }

  /** Stands among the calls of the engine, in their order. */
  #note(line: string): void {
    const at = this.#scene.clock.now();
    this.#scene.engine.transcript.push({ method: 'version', args: [], line, at, outcome: 'ok' });
  }
}
