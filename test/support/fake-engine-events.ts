import { EngineError } from '../../src/domain/errors';
import type { ContainerAction, ContainerEvent } from '../../src/ports/engine';

interface Listener {
  actions: readonly ContainerAction[];
  waiting: ContainerEvent[];
  failure: Error | null;
  wake: () => void;
}

/** Who listens to what happens on a fake host. */
export class FakeEvents {
  #listeners = new Set<Listener>();

  get listeners(): number {
    return this.#listeners.size;
  }

  tell(event: ContainerEvent): void {
    for (const listener of this.#listeners) {
      if (listener.actions.includes(event.action)) listener.waiting.push(event);
      listener.wake();
    }
  }

  /** Every connection breaks. */
  cut(): void {
    for (const listener of this.#listeners) {
      listener.failure = new EngineError('engine_unreachable', 'The connection was cut.');
      listener.wake();
    }
    this.#listeners.clear();
  }

  listen(actions: readonly ContainerAction[], signal: AbortSignal): AsyncIterable<ContainerEvent> {
    const listener: Listener = { actions, waiting: [], failure: null, wake: () => undefined };
    this.#listeners.add(listener);
    const stop = (): void => {
      this.#listeners.delete(listener);
      listener.failure = signal.reason as Error;
      listener.wake();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    return this.#read(listener);
  }

  async *#read(listener: Listener): AsyncGenerator<ContainerEvent, never> {
    for (;;) {
      const next = listener.waiting.shift();
      if (next !== undefined) yield next;
      else if (listener.failure !== null) throw listener.failure;
      else await new Promise<void>((resolve) => (listener.wake = resolve));
    }
  }
}
