/** What was opened last is closed first; one that fails is told and does not keep the others open. */
export class Closers {
  private readonly open: { what: string; close: () => unknown }[] = [];
  private closing: Promise<void> | null = null;

  constructor(private readonly say: (line: string) => void) {}

  /** Something opened while all is being closed is closed at once, and its opener is told by an error. */
  async add(what: string, close: () => unknown): Promise<void> {
    if (!this.closing) {
      this.open.push({ what, close });
      return;
    }
    await close();
    throw new Error(`the lab is being taken down: ${what} was closed again`);
  }

  /** Safe to call twice: the second call waits for the first. */
  closeAll(): Promise<void> {
    this.closing ??= this.close();
    return this.closing;
  }

  private async close(): Promise<void> {
    for (const { what, close } of this.open.reverse()) {
      try {
        await close();
      } catch (error) {
        this.say(`could not take down ${what}: ${String(error)}`);
      }
    }
  }
}
