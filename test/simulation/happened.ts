import type { Update } from '../../src/domain/update';
import type { FakeHost } from '../support/fake-engine-host';
import type { FakeContainer, FakeImage } from '../support/fake-engine-types';
import type { Scene } from '../support/scene';
import { GOOD, type Act, type Make, type World } from './world';

/** Calls at the end of an update after which it does not look again at what has the name. */
const LAST_LOOK = 5;

/** What faults and actors other than diun-pilot did to the world, and what they are an excuse for. */
export class Happened {
  /** Since the last quiet moment. */
  faults = 0;
  /** By an outsider, since the last quiet moment. */
  readonly touched = new Set<string>();
  readonly mayBeGone = new Set<string>();
  readonly mayBeDown = new Set<string>();
  readonly mayBeTagged = new Set<string>();
  /** Updates that ran when an outsider removed a container of their service: their failure says nothing of the image. */
  readonly cutShort = new Set<string>();
  /** Containers of these may have stopped for another reason than their version, since their soak began. */
  readonly soakDisturbed = new Set<string>();
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
    for (const image of host.images.onEngine.values()) this.published(image, { health: 'healthy' });
  }

  published({ digest, id }: FakeImage, make: Make): void {
    this.#images.set(digest, { id, ...make });
  }

  image(digest: string | null | undefined): ({ id: string } & Make) | undefined {
    return this.#images.get(digest ?? '');
  }

  outsiderActs(name: string, act: Act): void {
    this.faults++;
    this.touched.add(name);
    this.soakDisturbed.add(name);
    if (act === 'rm' || act === 'rm-all' || act === 'up') this.#cutsShort(name);
    if (act === 'rm' || act === 'rm-all') this.#goes(name);
    if (act === 'rm' || act === 'rm-all' || act === 'stop') this.mayBeDown.add(name);
    if (act === 'prune') this.#stoppedGo();
    if (act === 'tag') this.mayBeTagged.add(name);
  }

  /** With these policies the engine leaves a container down that it took down. */
  engineEnds(): void {
    this.faults++;
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
  }

  /** The containers of every service that are stopped, also those that an update has aside. */
  #stoppedGo(): void {
    for (const { spec } of this.world.services) {
      const own = [...this.host.containers.values()].filter(({ inspect }) => {
        const name = inspect.Name.slice(1);
        return name === spec.name || name.startsWith(`${spec.name}.diun-pilot-`);
      });
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

export function isGood({ image }: FakeContainer): boolean {
  return GOOD.includes(image.spec.health ?? 'healthy');
}

export function bearerOf(host: FakeHost, name: string): FakeContainer | undefined {
  return [...host.containers.values()].find(({ inspect }) => inspect.Name === `/${name}`);
}
