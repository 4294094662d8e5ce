import type { ComponentChildren, JSX } from 'preact';
import { logLines, oneLine, webUrl } from '../../notifications/letter/clean';
import type { Block, Fact, StepLine } from '../../notifications/letter/letter';

// The passages of the mails, on a page: each text is written once. Every string is sanitised here as it is there.

export function Blocks({ blocks }: { blocks: Block[] }): JSX.Element {
  return (
    <>
      {blocks.map((block) => (
        <BlockView block={block} />
      ))}
    </>
  );
}

function BlockView({ block }: { block: Block }): JSX.Element | null {
  switch (block.type) {
    case 'heading':
      return <h2>{oneLine(block.text)}</h2>;
    case 'paragraph':
      return <p>{typeset(block.text)}</p>;
    case 'important':
      return <p class="important">{typeset(block.text)}</p>;
    case 'facts':
      return <Facts facts={block.facts} />;
    case 'list':
      return <List items={block.items} ordered={block.ordered === true} />;
    case 'steps':
      return <List items={block.steps.map(stepText)} ordered />;
    case 'commands':
      return <Machine lines={block.lines.map((line) => oneLine(line))} />;
    case 'log':
      return <Machine lines={logLines(block.lines)} />;
    case 'link':
      return <LinkTo label={block.label} url={block.url} />;
  }
}

function Facts({ facts }: { facts: Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(({ label, value }) => (
        <div>
          <dt>{oneLine(label)}</dt>
          {[value].flat().map((line) => (
            <dd class={line.startsWith('sha256:') ? 'digest' : undefined}>{typeset(line)}</dd>
          ))}
        </div>
      ))}
    </dl>
  );
}

function List({ items, ordered }: { items: string[]; ordered: boolean }): JSX.Element {
  const entries: ComponentChildren = items.map((item) => <li>{typeset(item)}</li>);
  return ordered ? <ol>{entries}</ol> : <ul>{entries}</ul>;
}

/** A digest in a sentence is shown small, so that the sentence stays readable. A time stays on one line. */
export function typeset(text: string): ComponentChildren {
  return oneLine(text)
    .split(/(sha256:[0-9a-f]{64}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z][A-Z0-9+:-]*)/)
    .map((part, index) => (index % 2 === 0 ? part : <Token text={part} />));
}

function Token({ text }: { text: string }): JSX.Element {
  if (text.startsWith('sha256:')) return <span class="digest">{text}</span>;
  const [day, time, zone] = text.split(' ');
  return <time dateTime={`${day}T${time}${zone === 'UTC' ? 'Z' : ''}`}>{text}</time>;
}

function stepText({ title, result, duration, detail }: StepLine): string {
  return [`${title} ${result}`, duration, detail].filter(Boolean).join(', ');
}

/** Output or commands; can be reached and scrolled by keyboard. */
export function Machine({ lines }: { lines: string[] }): JSX.Element | null {
  return lines.length === 0 ? null : <pre tabindex={0}>{lines.join('\n')}</pre>;
}

/** The address is shown next to its name: a reader sees where a link leads before following it. */
function LinkTo({ label, url }: { label: string; url: string }): JSX.Element | null {
  const href = webUrl(url);
  if (href === null) return null;
  return (
    <p>
      {oneLine(label)}:{' '}
      <a href={href} rel="noreferrer noopener external">
        {href}
      </a>
    </p>
  );
}
