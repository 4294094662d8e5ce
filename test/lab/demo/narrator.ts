/** Speaks to a newcomer at a terminal: chapters, what happens and why, and commands to try. */
export class Narrator {
  private chapters = 0;

  constructor(private readonly write: (line: string) => void = console.log) {}

  chapter(title: string): void {
    this.chapters += 1;
    this.write(`\n${bold(`${this.chapters}. ${title}`)}`);
  }

  /** What happens, and why. */
  tell(text: string): void {
    this.write(`   ${text}`);
  }

  /** Something just observed: a step, a page, a mail. Of a long text the beginning. */
  show(label: string, text: string): void {
    const lines = text.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…').split('\n');
    const told = lines.length > 3 ? [...lines.slice(0, 2), `… (${lines.length - 2} more lines)`] : lines;
    told.forEach((line, i) => this.write(`   ${dim(`${(i === 0 ? label : '').padEnd(24)}│`)} ${line}`));
  }

  /** A command to copy into another terminal. */
  command(what: string, command: string): void {
    this.write(`   ${what}:\n     ${bold(command)}`);
  }

  /** The lab's own preparations, kept apart from the story. */
  readonly aside = (text: string): void => {
    this.write(dim(`   ${text}`));
  };
}

const colours = process.stdout.isTTY === true;

function bold(text: string): string {
  return colours ? `\x1b[1m${text}\x1b[0m` : text;
}

function dim(text: string): string {
  return colours ? `\x1b[2m${text}\x1b[0m` : text;
}
