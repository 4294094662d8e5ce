import { endInterruptedBackups } from '../../src/backups/backup-queue';
import { adoptAside } from '../../src/containers/adopt-aside';
import { decideById } from '../../src/decisions/approve';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { requestUpdate } from '../../src/decisions/request-update';
import { codeOf, EngineError, messageOf, PilotError } from '../../src/domain/errors';
import { workOnce } from '../../src/queue/worker';
import { memoryStorage } from '../support/memory-storage';
import { openScene } from '../support/scene';
import { reusedDisk } from '../support/scene-disk';
import { faultyStorage } from './faulty-storage';
import type { Outcome, Sabotage } from './simulation';
import { announced, type When } from './swarm-calls';
import { SwarmJudge } from './swarm-judge';
import { clientActs, publishForSwarm, setSwarmStage, type Images } from './swarm-stage';
import {
  type ClientAct,
  describeSwarm,
  type SwarmMake,
  type SwarmMid,
  type SwarmOperatorAct,
  type SwarmQuiet,
  type SwarmWorld,
} from './swarm-world';
import { printed } from './transcript';

const TURNS = 400;
/** Longer than an approval is valid, also one that is asked for in the first of them. */
const DRAIN_ROUNDS = 6;
/** Seconds in which this process itself ran. */
const HANGS_S = 60;
const CHANGES = ['update', 'rollOut', 'rollBack'];
const FOREVER = new Promise<never>(() => undefined);

/** Plays a world of a Swarm to its end: every invariant is looked at at each quiet moment. */
export async function simulateSwarm(world: SwarmWorld, sabotage: Sabotage = () => undefined): Promise<Outcome> {
  const simulation = new SwarmSimulation(world, sabotage);
  try {
    return await simulation.play();
  } finally {
    simulation.close();
  }
}

class SwarmSimulation {
  #scene = openScene(reusedDisk);
  readonly #stored = memoryStorage();
  readonly #images: Images;
  readonly #judge: SwarmJudge;
  /** Of all processes, to engine and Swarm. */
  #calls = 0;
  #process = 0;
  /** Those that wait for their call. */
  #armed: { mid: SwarmMid; at: number }[] = [];
  /** Of the operator, next to what the process does. */
  #underWay: Promise<void>[] = [];
  #faults = 0;
  #storageFails = false;
  /** A tick: until then the Swarm has no leader. */
  #noLeaderUntil = 0;
  #die: () => void = () => undefined;

  constructor(
    private readonly world: SwarmWorld,
    private readonly sabotage: Sabotage,
  ) {
    this.#images = setSwarmStage(this.#scene, world);
    this.#judge = new SwarmJudge(
      world,
      this.#images,
      () => this.#scene,
      () => this.#calls,
    );
    this.#equip();
  }

  async play(): Promise<Outcome> {
    await this.#start();
    for (const event of this.world.events) {
      if (this.#judge.violations.length > 0) break;
      if (event.kind === 'mid') {
        this.#armed.push({ mid: event, at: this.#calls + event.call });
        continue;
      }
      this.#note(`* ${describeSwarm(event, this.world)}`);
      await this.#happen(event);
      await this.#untilQuiet();
      await this.#judge.atRest();
    }
    if (this.#judge.violations.length === 0) await this.#drain();
    return { violations: this.#judge.violations, transcript: printed(this.#scene.engine.transcript) };
  }

  close(): void {
    this.#scene.close();
  }

  /** All faults are over and time has passed: nothing may be left undone. */
  async #drain(): Promise<void> {
    this.#note('* all faults end, and days pass');
    this.#armed = [];
    this.#storageFails = false;
    this.#noLeaderUntil = 0;
    this.#scene.engine.host.images.away.clear();
    await this.#nextProcess();
    for (let round = 0; round < DRAIN_ROUNDS; round++) {
      await this.#scene.clock.advance(26 * 3_600_000);
      await this.#untilQuiet();
      await this.#judge.atRest();
    }
    this.#judge.atEnd();
  }

  /** A new process on the same Swarm and database. */
  #equip(): void {
    const { deps, engine, swarm } = this.#scene;
    const process = ++this.#process;
    const announce = (of: 'engine' | 'swarm') => (method: string, when: When) =>
      process === this.#process ? this.#called(of, method, when) : FOREVER;
    deps.storage = faultyStorage(this.#stored, () => this.#storageFails);
    this.#judge.watch();
    this.#die = () => undefined;
    this.sabotage(this.#scene);
    deps.engine = announced(engine, announce('engine'));
    deps.swarm = announced(swarm, announce('swarm'));
  }

  async #called(of: 'engine' | 'swarm', method: string, when: When): Promise<void> {
    if (when === 'before') this.#calls++;
    if (of === 'swarm' && when === 'after' && method === 'rollOut') this.#judge.requested();
    if (of === 'swarm' && when === 'after' && CHANGES.includes(method))
      this.#note(this.#scene.swarm.lines.at(-1) ?? '');
    if (of === 'swarm' && method !== 'role' && this.#scene.clock.tick() < this.#noLeaderUntil)
      throw new EngineError('engine_unreachable', 'The Swarm has no leader that answers now.');
    const due = this.#armed.filter(({ mid, at }) => at <= this.#calls && mid.when === when);
    this.#armed = this.#armed.filter((each) => !due.includes(each));
    for (const { mid } of due) await this.#strike(mid);
  }

  async #strike(mid: SwarmMid): Promise<void> {
    this.#note(`! ${describeSwarm(mid, this.world)}`);
    this.#faults++;
    this.#judge.strikes();
    switch (mid.fault) {
      case 'crash':
        this.#die();
        return FOREVER;
      case 'refused':
        throw new EngineError('engine_refused', 'The simulated engine refuses.');
      case 'engine':
        for (const { name, node } of this.world.services) if (node === 'node-here') await this.#onTasks('move', name);
        throw new EngineError('engine_unreachable', 'The connection was cut.');
      case 'cut':
        throw new EngineError('engine_unreachable', 'The connection was cut.');
      case 'leader':
        this.#noLeaderUntil = this.#scene.clock.tick() + mid.ms;
        return;
      case 'storage':
        this.#storageFails = mid.fails;
        return;
      case 'move':
      case 'kill':
        return this.#onTasks(mid.fault, this.world.services[mid.service]?.name ?? '');
      case 'client':
        return this.#client(mid.service, mid);
      case 'publish':
        return this.#publish(mid.service, mid, 1);
      case 'operator':
        this.#underWay.push(this.#operate(mid.act));
    }
  }

  async #onTasks(act: 'move' | 'kill', name: string): Promise<void> {
    this.#judge.strikes();
    const { swarm } = this.#scene;
    const there = (await swarm.services()).some(({ Spec }) => Spec.Name === name);
    if (there && act === 'move') swarm.moveTasks(name);
    else if (there) swarm.killTasks(name);
  }

  async #client(at: number, { act, ...more }: ClientAct): Promise<void> {
    const service = this.world.services[at];
    if (service === undefined) return;
    const asked = { act, ...more } as ClientAct;
    try {
      this.#judge.clientActed(service, asked, await clientActs(this.#scene.swarm, service, asked, this.#images));
    } catch (error) {
      this.#note(`  the client fails: ${messageOf(error)}`);
    }
  }

  #publish(at: number, make: SwarmMake, webhooks: number): void {
    const service = this.world.services[at];
    if (service === undefined) return;
    const { digest } = publishForSwarm(this.#scene.engine, service, make);
    this.#judge.published(digest, make);
    for (let sent = 0; sent < webhooks; sent++) this.#scene.hear(`docker.io/library/${service.reference}`, digest);
  }

  async #operate(act: SwarmOperatorAct): Promise<void> {
    const { deps, store } = this.#scene;
    try {
      if (act.kind === 'request') {
        const name = this.world.services[act.service]?.name;
        if (name !== undefined) await requestUpdate(deps, { container: name });
        return;
      }
      const waiting = store.updates.withStatus('awaiting_approval')[0];
      if (waiting) await decideById(deps, waiting.id, act.decision, 'api');
    } catch (error) {
      if (!(error instanceof PilotError)) throw error;
      this.#note(`  answered: ${error.code}`);
    }
  }

  async #happen(event: SwarmQuiet): Promise<void> {
    const { deps, store, engine, clock } = this.#scene;
    if (event.kind === 'publish') this.#publish(event.service, event, event.webhooks);
    else if (event.kind === 'client') await this.#client(event.service, event);
    else if (event.kind === 'registry') {
      engine.host.images.away.clear();
      if (event.away) engine.host.images.away.add('docker.io');
    } else if (event.kind === 'storage') this.#storageFails = event.fails;
    else if (event.kind === 'clock') await clock.advance(event.ms);
    else if (event.kind === 'reconcile') store.timers.ring('reconcile', deps.clock.now().toISOString());
    else if (event.kind === 'process') await this.#nextProcess();
    else if (event.kind === 'move' || event.kind === 'kill')
      await this.#onTasks(event.kind, this.world.services[event.service]?.name ?? '');
    else await this.#raced(() => this.#operate(event));
  }

  async #nextProcess(): Promise<void> {
    this.#underWay = [];
    this.#scene = this.#scene.restart();
    this.#equip();
    await this.#start();
  }

  async #start(): Promise<void> {
    await this.#raced(async () => {
      const { deps } = this.#scene;
      endInterruptedBackups(deps);
      await this.#insist(() => adoptAside(deps));
    });
  }

  /** As the worker's loops: what fails is tried again. A process that dies is followed by another. */
  async #untilQuiet(): Promise<void> {
    await this.#raced(async () => {
      const { deps } = this.#scene;
      for (let turn = 0; turn < TURNS; turn++) {
        let more = false;
        const faults = this.#faults;
        await this.#insist(async () => {
          const decided = (await handleInbox(deps)) > 0;
          more = (await workOnce(deps)) || decided;
        });
        const acts = this.#underWay.splice(0);
        await Promise.all(acts);
        more ||= acts.length > 0 || this.#faults > faults;
        if (!more || this.#judge.violations.length > 0) return;
      }
      this.#judge.violations.push(`the queue does not come to rest in ${TURNS} turns`);
    });
  }

  async #insist(work: () => Promise<unknown>): Promise<void> {
    for (let failed = 0; failed < 20; failed++) {
      try {
        await work();
        return;
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
    await this.#nextProcess();
    await this.#untilQuiet();
  }

  /** Stands among the calls of the engine, in their order. */
  #note(line: string): void {
    const at = this.#scene.clock.now();
    this.#scene.engine.transcript.push({ method: 'version', args: [], line, at, outcome: 'ok' });
  }
}
