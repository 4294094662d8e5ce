import { logLines, oneLine, webUrl } from './clean';
import { joinCommands } from './commands-in-text';
import { notesOf, type Block, type Fact, type Letter, type StepLine } from './letter';

const WIDTH = 76;

/** The text part: complete on its own, readable in a terminal. Only commands, addresses and log lines exceed the width. */
export function plainText(letter: Letter): string {
  const page = webUrl(letter.page);
  const paragraphs = [
    [oneLine(letter.verdict.word).toUpperCase(), ...wrap(oneLine(letter.heading))],
    ...letter.blocks.map(blockText),
    page === null ? [] : ['-- ', 'diun-pilot', page],
    ...notesOf(letter).map((note) => wrap(note)),
  ];
  return `${paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function blockText(block: Block): string[] {
  switch (block.type) {
    case 'heading':
      return [underlined(oneLine(block.text))];
    case 'paragraph':
      return wrap(oneLine(block.text));
    case 'important':
      return wrap(oneLine(block.text), '!! ', '!! ');
    case 'facts':
      return factLines(block.facts);
    case 'list':
      return block.items.flatMap((item, index) => itemLines(item, block.ordered ? `${index + 1}. ` : '- '));
    case 'steps':
      return block.steps.flatMap(stepLines);
    case 'commands':
      return block.lines.map((line) => `    ${oneLine(line)}`);
    case 'log':
      return logLines(block.lines).map((line) => `  | ${line}`);
    case 'link':
      return linkLines(block.label, webUrl(block.url));
  }
}

function underlined(heading: string): string {
  return `${heading}\n${'-'.repeat(Math.min(heading.length, WIDTH))}`;
}

function factLines(raw: Fact[]): string[] {
  const facts = raw.map(({ label, value }) => ({ label: oneLine(label), value }));
  const column = Math.max(...facts.map((fact) => fact.label.length)) + 2;
  return facts.flatMap((fact) => {
    const [first = '', ...rest] = [fact.value].flat().map((value) => oneLine(value));
    const indent = ' '.repeat(column);
    return [...wrap(first, fact.label.padEnd(column), indent), ...rest.flatMap((line) => wrap(line, indent, indent))];
  });
}

function itemLines(item: string, bullet: string): string[] {
  return wrap(oneLine(item), bullet, ' '.repeat(bullet.length));
}

function stepLines(step: StepLine): string[] {
  const title = `${step.result.toUpperCase().padEnd(10)}${step.title}${step.duration === null ? '' : ` (${step.duration})`}`;
  return step.detail === null ? [title] : [title, ...wrap(oneLine(step.detail), ' '.repeat(10), ' '.repeat(10))];
}

function linkLines(label: string, url: string | null): string[] {
  return url === null ? [] : [`${oneLine(label)}:`, url];
}

/** Breaks between words only: a digest or an address is never cut; a time with its zone and a command stay in one line. */
function wrap(text: string, first = '', next = ''): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of joinCommands(text.split(/(?<!\d\d:\d\d:\d\d) (?!\d\d:\d\d:\d\d )/))) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = next;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
