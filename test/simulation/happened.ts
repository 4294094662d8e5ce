import type { Update } from '../../src/domain/update';
import type { FakeHost } from '../support/fake-engine-host';
import type { FakeContainer, FakeImage } from '../support/fake-engine-types';
import type { Scene } from '../support/scene';
import { bearerOf, ofService } from './outsider';
import { failsItsProbe, failsProbes } from './probes';
import { staysUp, type Act, type Make, type Service, type World } from './world';

/** With these no container stops. */
const LEAVE_IT: readonly Act[] = ['tag', 'start', 'unpause'];

/** Calls at the end of an update after which it does not look again at what has the name. */
const LAST_LOOK = 5;

/** What faults and actors other than diun-pilot did to the world, and what they are an excuse for. */
export class Happened {
  /** Since the last quiet moment. */
  faults = 0;
  /** Then no backup can be read. */
  storageFails = false;
  /** By an outsider, since the last quiet moment. */
  readonly touched = new Set<string>();
  readonly mayBeGone = new Set<string>();
  readonly mayBeDown = new Set<string>();
  readonly mayBeTagged = new Set<string>();
  /** Updates that ran when an outsider removed a container of their service: their failure says nothing of the image. */
  readonly cutShort = new Set<string>();
  /** Containers of these may have stopped for another reason than their version, since their soak began. */
  readonly soakDisturbed = new Set<string>();
  /** Containers that an outsider started: what they write to next to another one is the outsider's own doing, until the next look. */
  readonly startedOutside = new Set<string>();
  /** Old containers that an outsider started during their soak, which the reason of the update must say. */
  readonly startedInSoak = new Set<string>();
  readonly #images = new Map<string, { id: string } & Make>();
  /** Removed by an outsider while its update ran: that update, and how many calls had been made. */
  readonly #removed = new Map<string, { update: string; calls: number }>();
  /** How many calls had been made when an update ended. */
  readonly #endedAt = new Map<string, number>();

  constructor(
    private readonly world: World,
    private readonly host: FakeHost,
    private readonly scene: () => Scene,
  ) {
    for (const image of host.images.onEngine.values())
      this.published(image, { health: 'healthy', failsProbe: failsProbes(image) });
  }

  published({ digest, id }: FakeImage, make: Make): void {
    this.#images.set(digest, { id, ...make });
  }

  image(digest: string | null | undefined): ({ id: string } & Make) | undefined {
    return this.#images.get(digest ?? '');
  }

  outsiderActs(service: Service, act: Act): void {
    const { name } = service.spec;
    this.faults++;
    this.touched.add(name);
    this.soakDisturbed.add(name);
    if (!LEAVE_IT.includes(act)) this.#cutsShort(name);
    if (act === 'rm' || act === 'rm-all') this.#goes(name);
    if (/^rm|stop$/.test(act)) this.mayBeDown.add(name);
    if (act === 'prune') this.#stoppedGo();
    if (act === 'tag') this.mayBeTagged.add(name);
  }

  /** What the outsider has started by an act. */
  outsiderActed(service: Service, act: Act): void {
    if (!act.includes('start')) return;
    const { updates, soaks } = this.scene().store;
    const bearer = bearerOf(this.host, service.spec.name);
    const isSeen =
      bearer !== undefined && this.host.state(bearer).Running && updates.withStatus('running').length === 0;
    for (const one of ofService(this.host, service).filter((each) => this.host.state(each).Running)) {
      const { Id } = one.inspect;
      this.startedOutside.add(Id);
      const soak = soaks.open().find(({ oldContainerId }) => oldContainerId === Id);
      if (isSeen && soak?.containerId === bearer?.inspect.Id) this.startedInSoak.add(Id);
    }
  }

  /** With these policies the engine leaves a container down that it took down. */
  engineEnds(): void {
    this.faults++;
    // Perhaps before anyone could have seen it.
    this.startedInSoak.clear();
    for (const { spec } of this.world.services)
      if (spec.restart === 'no' || spec.restart === 'on-failure') {
        this.mayBeDown.add(spec.name);
        this.soakDisturbed.add(spec.name);
      }
  }

  updateEnds(id: string): void {
    this.#endedAt.set(id, this.scene().engine.transcript.length);
  }

  /** It is there again. */
  isThere(name: string): void {
    this.mayBeGone.delete(name);
    this.#removed.delete(name);
  }

  /** Only what comes before the last look of the update can be brought back by it. */
  mayBeMissing(name: string): boolean {
    const removed = this.#removed.get(name);
    const wasSeen = removed !== undefined && (this.#endedAt.get(removed.update) ?? 0) - removed.calls > LAST_LOOK;
    return this.mayBeGone.has(name) && !wasSeen;
  }

  atRest(): void {
    this.faults = 0;
    this.touched.clear();
    this.startedInSoak.clear();
    for (const id of this.startedOutside) {
      const container = this.host.containers.get(id);
      const runsAside = container !== undefined && this.host.state(container).Running && isAside(container);
      if (!runsAside) this.startedOutside.delete(id);
    }
  }

  /** The containers of every service that are stopped, also those that an update has aside. */
  #stoppedGo(): void {
    for (const { spec } of this.world.services) {
      const own = ofService(this.host, { spec });
      const stopped = own.filter((one) => !this.host.state(one).Running);
      if (stopped.length === 0) continue;
      this.touched.add(spec.name);
      this.soakDisturbed.add(spec.name);
      this.#cutsShort(spec.name);
      if (stopped.some(({ inspect }) => inspect.Name === `/${spec.name}`) || stopped.length === own.length)
        this.#goes(spec.name);
    }
  }

  #goes(name: string): void {
    this.mayBeGone.add(name);
    this.#removed.delete(name);
    const running = this.#runningUpdate(name);
    if (running) this.#removed.set(name, { update: running.id, calls: this.scene().engine.transcript.length });
  }

  #cutsShort(name: string): void {
    const running = this.#runningUpdate(name);
    if (running) this.cutShort.add(running.id);
  }

  #runningUpdate(name: string): Update | undefined {
    return this.scene()
      .store.updates.openFor(name)
      .find(({ status }) => status === 'running');
  }
}

export function isGood(container: FakeContainer): boolean {
  return staysUp(container.image.spec.health) && !failsItsProbe(container);
}

export const isAside = ({ inspect }: FakeContainer): boolean => inspect.Name.includes('.diun-pilot-');
