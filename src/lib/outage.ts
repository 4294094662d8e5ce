/** An outage of something that is asked again and again: from the first question without an answer to the next answer. */
export class Outage {
  #answered = false;
  #since: Date | null = null;
  #reported = false;

  constructor(private readonly limitMs: number) {}

  /** Since when nothing answers; null: it answers, or was not asked yet. */
  get since(): Date | null {
    return this.#since;
  }

  /** True for the first answer of all, and for the first one after an outage. */
  answers(): boolean {
    const isNews = !this.#answered || this.#since !== null;
    this.#answered = true;
    this.#since = null;
    this.#reported = false;
    return isNews;
  }

  /** True once in an outage: when it has lasted for the limit, and something had answered before. */
  isSilent(now: Date): boolean {
    this.#since ??= now;
    const isLong = now.getTime() - this.#since.getTime() >= this.limitMs;
    if (!this.#answered || !isLong || this.#reported) return false;
    this.#reported = true;
    return true;
  }
}

/**
 * A socket that is mounted as a file is another one after a restart of the engine with live-restore: the mounted one stays
 * dead until the container starts again. No ordinary restart of an engine takes that long.
 */
export const ENGINE_LOST_AFTER_MS = 5 * 60_000;
