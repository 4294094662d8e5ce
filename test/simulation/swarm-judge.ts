import { isOpen, type Update } from '../../src/domain/update';
import { replicasOf, type ServiceSpec } from '../../src/domain/services/swarm-inspect';
import type { Scene } from '../support/scene';
import type { Changed } from './swarm-stage';
import { BAD, type ClientAct, type SwarmMake, type SwarmService, type SwarmWorld } from './swarm-world';

/** What the operator wants of a service, as far as that is known. */
interface Wanted {
  image: string;
  replicas: number;
  note: string | undefined;
  gone: boolean;
}

const FAILED = ['failed', 'rolled_back', 'rollback_failed'];
/** After its last look at the service, an update makes no more calls than these before its verdict. */
const LAST_LOOK = 8;

/** Looks whether what diun-pilot did to services and says of them agrees with the Swarm. */
export class SwarmJudge {
  readonly violations: string[] = [];
  readonly #judged = new Set<string>();
  readonly #wanted = new Map<string, Wanted>();
  readonly #makes = new Map<string, SwarmMake>();
  /** Updates that ran when something struck: their failure says nothing of the image. */
  readonly #disturbed = new Set<string>();
  /** Updates in which another client gave their service an image: at which call. */
  readonly #changedAt = new Map<string, number>();
  /** By service: at which call another client gave it an image. */
  readonly #imageAt = new Map<string, number>();
  readonly #requested = new Set<string>();
  readonly #endedAt = new Map<string, number>();

  constructor(
    private readonly world: SwarmWorld,
    images: ReadonlyMap<string, { first: string }>,
    private readonly scene: () => Scene,
    private readonly calls: () => number,
  ) {
    for (const { name, replicas } of world.services)
      this.#wanted.set(name, { image: images.get(name)?.first ?? '', replicas, note: undefined, gone: false });
  }

  watch(): void {
    const { updates } = this.scene().store;
    const change = updates.change.bind(updates);
    updates.change = (id, fields) => {
      if (fields.finishedAt) this.#endedAt.set(id, this.calls());
      return change(id, fields);
    };
  }

  published(digest: string, make: SwarmMake): void {
    this.#makes.set(digest, make);
  }

  strikes(): void {
    for (const { id } of this.#running()) this.#disturbed.add(id);
  }

  /** Swarm has a request for another image. */
  requested(): void {
    for (const { id } of this.#running()) this.#requested.add(id);
  }

  clientActed({ name }: SwarmService, { act, ...more }: ClientAct, { before, after: spec }: Changed): void {
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) return;
    this.strikes();
    wanted.gone = spec === null;
    if (spec === null) return;
    wanted.note = spec.Labels?.['note'];
    // One that is at 0 for its backup stays so, and no one can see what was meant.
    const isAtZero = before !== null && replicasOf(before) === 0;
    if ('replicas' in more && (more.replicas > 0 || !isAtZero)) wanted.replicas = more.replicas;
    // After an update that scaled it to 0 for its backup, that is what it goes back to (docs/swarm.md).
    const { updates } = this.scene().store;
    const isScaled = this.#running().some(({ id }) => updates.rollout(id)?.scaled?.some((each) => each.name === name));
    const isDocumented = replicasOf(spec) > 0 || !isScaled;
    if (act === 'deploy' || (act === 'rollback' && isDocumented)) wanted.replicas = replicasOf(spec);
    if (before !== null && imageOf(before) === imageOf(spec)) return;
    // In a rollback that is under way, another one goes forward again: to what no one wants.
    const isForward = this.#running().some(
      ({ container, to }) => container === name && imageOf(spec).endsWith(to.digest ?? '-'),
    );
    if (act === 'rollback' && isForward) return;
    wanted.image = imageOf(spec);
    this.#imageAt.set(name, this.calls());
    for (const { id, container } of this.#running()) if (container === name) this.#changedAt.set(id, this.calls());
  }

  /** Holds whenever nothing is left to do. */
  async atRest(): Promise<void> {
    this.#must(this.#running().length === 0, 'an update runs on at rest');
    const all = this.scene().updates();
    for (const update of all) this.#updateAtRest(update);
    const specs = new Map((await this.scene().swarm.services()).map(({ Spec }) => [Spec.Name, Spec]));
    const ended = all.filter(({ id, finishedAt }) => finishedAt !== null && !this.#judged.has(id));
    for (const update of ended.toSorted((a, b) => this.#end(a) - this.#end(b))) this.#verdict(update, specs);
    for (const { id } of ended) this.#judged.add(id);
    for (const { name } of this.world.services) this.#serviceAtRest(name, specs.get(name), ended);
  }

  /** Holds when all faults are over and time has passed. */
  atEnd(): void {
    const { store, engine } = this.scene();
    for (const { status } of store.inbox.recent(200)) this.#must(status !== 'pending', 'an accepted webhook waits on');
    const all = this.scene().updates();
    this.#must(!all.some(({ status }) => status === 'queued'), 'an update waits in the queue at the end');
    this.#must(!all.some(({ status, finishedAt }) => !isOpen(status) && finishedAt === null), 'an end without a time');
    for (const name of engine.containerNames().filter((each) => each.includes('.diun-pilot-')))
      this.#must(false, `a container is left over: ${name.replace(/[0-9a-z]{10}$/, '')}`);
    const kept = store.keptContainers.all().map(({ reason }) => reason);
    this.#must(kept.length === 0, `kept to the end: ${kept.join()}`);
  }

  #running(): Update[] {
    return this.scene()
      .updates()
      .filter(({ status }) => status === 'running');
  }

  #end({ id }: Update): number {
    return this.#endedAt.get(id) ?? 0;
  }

  #updateAtRest({ id, container, status, hold, notBefore, steps }: Update): void {
    this.#must(
      status !== 'queued' || hold !== null || notBefore !== null,
      `an update of ${container} waits without a reason`,
    );
    this.#must(!steps.some((step) => step.status === 'running'), `a step of ${container} runs on`);
    const mails = this.scene()
      .store.outbox.recent(500)
      .filter(({ updateId }) => updateId === id);
    const of = (kind: string): number => mails.filter((mail) => mail.kind === kind).length;
    const failed = FAILED.includes(status) ? 1 : 0;
    this.#must(of('update_failed') === failed, `${of('update_failed')} mails of failure, ${container} is ${status}`);
    const most = status === 'succeeded' ? 1 : 0;
    this.#must(of('update_succeeded') <= most, `a mail of success, ${container} is ${status}`);
  }

  #verdict(update: Update, specs: ReadonlyMap<string, ServiceSpec>): void {
    const { id, container, status, to, error, reason } = update;
    const wanted = this.#wanted.get(container ?? '');
    const spec = specs.get(container ?? '');
    if (wanted === undefined || ![...FAILED, 'succeeded'].includes(status)) return;
    const newImage = `${to.reference}@${to.digest}`;
    const changedAt = this.#changedAt.get(id);
    const isChanged = changedAt !== undefined && changedAt < this.#end(update) - LAST_LOOK;
    if (status === 'succeeded') {
      this.#must(!this.#isBad(update), `an image of ${container} that fails was found healthy`);
      this.#must(!isChanged || wanted.image === newImage, `${container} succeeded, with an image of another client`);
      if (changedAt === undefined && !this.#isChangedSince(update)) wanted.image = newImage;
    }
    if (status === 'failed')
      this.#must(!this.#requested.has(id), `${container} failed and is said to be unchanged, but it was rolled out`);
    if (status === 'rolled_back')
      this.#must(this.#requested.has(id), `${container} is said to be rolled back, and was never rolled out`);
    if (status === 'rolled_back' || status === 'rollback_failed')
      this.#must(
        this.#disturbed.has(id) || this.#isBad(update) || this.#isOfLateStack(update),
        `a good image of ${container} is blamed: ${error?.message}`,
      );
    if (spec === undefined || changedAt === undefined) {
      if (status === 'rollback_failed' && spec !== undefined && imageOf(spec) === newImage) wanted.image = newImage;
      return;
    }
    const said = /extern/.test(`${reason} ${error?.message}`);
    const isOther = isChanged && ![newImage, update.from?.digest ?? ''].some((each) => wanted.image.endsWith(each));
    this.#must(!isOther || said, `no one says that another client changed ${container} (${status}): ${reason}`);
  }

  #serviceAtRest(name: string, spec: ServiceSpec | undefined, ended: readonly Update[]): void {
    const wanted = this.#wanted.get(name) as Wanted;
    this.#must((spec === undefined) === wanted.gone, `${name} ${wanted.gone ? 'is' : 'is not'} there`);
    if (spec === undefined) return;
    const told = ended.some(
      ({ status, reason, error }) =>
        status === 'rollback_failed' &&
        `${reason} ${error?.message}`.includes(name) &&
        /scale/.test(`${error?.message}`),
    );
    const replicas = replicasOf(spec);
    this.#must(
      spec.Mode.Replicated === undefined || replicas === wanted.replicas || told,
      `${name} has ${replicas} replicas, and the operator wants ${wanted.replicas}`,
    );
    if (told) wanted.replicas = replicas;
    this.#must(spec.Labels?.['note'] === wanted.note, `a label of another client on ${name} is overwritten`);
    this.#must(imageOf(spec) === wanted.image, `${name} has the image ${imageOf(spec)} instead of ${wanted.image}`);
  }

  #isChangedSince(update: Update): boolean {
    return (this.#imageAt.get(update.container ?? '') ?? -1) >= this.#end(update);
  }

  #isBad({ container, to }: Update): boolean {
    const make = this.#makes.get(to.digest ?? '');
    const service = this.world.services.find(({ name }) => name === container);
    if (make === undefined || service === undefined) return false;
    return BAD.includes(make.health) || (make.failsProbe === true && service.node === 'node-here');
  }

  /** An image of its stack fails after a while, perhaps just then. */
  #isOfLateStack({ container }: Update): boolean {
    const stack = container?.split('_')[0];
    const digests = new Set(
      this.scene()
        .updates()
        .filter((each) => each.container?.split('_')[0] === stack)
        .map(({ to }) => to.digest ?? ''),
    );
    return [...digests].some((digest) => this.#makes.get(digest)?.lastsMs !== undefined);
  }

  #must(is: boolean, what: string): void {
    if (!is && !this.violations.includes(what)) this.violations.push(what);
  }
}

function imageOf({ TaskTemplate }: ServiceSpec): string {
  return TaskTemplate.ContainerSpec?.Image ?? '';
}
