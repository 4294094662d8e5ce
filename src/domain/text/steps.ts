/** Counts elementary steps of work on foreign text, and throws beyond its limit: a bound that no slow machine can miss. */
export class Steps {
  #taken = 0;

  constructor(
    private readonly limit: number,
    private readonly tooMany: () => Error,
  ) {}

  get taken(): number {
    return this.#taken;
  }

  take(count = 1): void {
    this.#taken += count;
    if (this.#taken > this.limit) throw this.tooMany();
  }
}
