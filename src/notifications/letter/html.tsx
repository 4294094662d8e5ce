import type { ComponentChildren, JSX } from 'preact';
import { render } from 'preact-render-to-string';
import { logLines, oneLine, webUrl } from './clean';
import { notesOf } from './in-its-container';
import type { Block, Fact, Letter, StepLine } from './letter';
import { MARKS, STYLES, TONES } from './look';

/** The HTML part: one column, inline styles, nothing fetched from anywhere, no script. `subject` is the page's title. */
export function html(letter: Letter, subject: string): string {
  return `<!doctype html>${render(<Page letter={letter} subject={subject} />)}`;
}

function Page({ letter, subject }: { letter: Letter; subject: string }): JSX.Element {
  return (
    <html lang="en" style={STYLES.document}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>{subject}</title>
      </head>
      <body style={STYLES.body}>
        <Preview {...letter} />
        <div style={STYLES.column}>
          <p style={`${STYLES.verdict};background:${TONES[letter.verdict.tone]}`}>{oneLine(letter.verdict.word)}</p>
          <h1 style={STYLES.title}>{oneLine(letter.heading)}</h1>
          {letter.blocks.map((block) => (
            <BlockView block={block} />
          ))}
          <Foot {...letter} />
        </div>
      </body>
    </html>
  );
}

/** The preview that a mailbox shows next to the subject: the first sentences, because the subject has the verdict. */
function Preview({ blocks }: Letter): JSX.Element | null {
  const first = blocks.find(({ type }) => type === 'paragraph' || type === 'important');
  return first === undefined || !('text' in first) ? null : (
    <div style={STYLES.preview}>{oneLine(first.text, 140)}</div>
  );
}

function BlockView({ block }: { block: Block }): JSX.Element {
  switch (block.type) {
    case 'heading':
      return <h2 style={STYLES.heading}>{oneLine(block.text)}</h2>;
    case 'paragraph':
      return <p style={STYLES.paragraph}>{withDigests(block.text)}</p>;
    case 'important':
      return <p style={STYLES.important}>{oneLine(block.text)}</p>;
    case 'facts':
      return <Facts facts={block.facts} />;
    case 'list':
      return <List items={block.items} ordered={block.ordered === true} />;
    case 'steps':
      return <Steps steps={block.steps} />;
    case 'commands':
      return <Commands lines={block.lines} />;
    case 'log':
      return <Machine lines={logLines(block.lines)} />;
    case 'link':
      return <LinkTo label={block.label} url={block.url} button={block.button === true} />;
  }
}

function Facts({ facts }: { facts: Fact[] }): JSX.Element {
  return (
    <>
      {facts.map((fact) => (
        <div style={STYLES.fact}>
          <div style={STYLES.label}>{oneLine(fact.label)}</div>
          {[fact.value].flat().map((value) => (
            <div style={value.startsWith('sha256:') ? STYLES.digest : STYLES.value}>{oneLine(value)}</div>
          ))}
        </div>
      ))}
    </>
  );
}

function List({ items, ordered }: { items: string[]; ordered: boolean }): JSX.Element {
  const entries: ComponentChildren = items.map((item) => <li style={STYLES.item}>{withDigests(item)}</li>);
  return ordered ? <ol style={STYLES.list}>{entries}</ol> : <ul style={STYLES.list}>{entries}</ul>;
}

/** A digest in a sentence is shown small, so that the sentence stays readable. */
function withDigests(text: string): ComponentChildren {
  return oneLine(text)
    .split(/(sha256:[0-9a-f]{64})/)
    .map((part, index) => (index % 2 === 0 ? part : <span style={STYLES.digest}>{part}</span>));
}

function Steps({ steps }: { steps: StepLine[] }): JSX.Element {
  return (
    <>
      {steps.map((step) => (
        <div style={`${STYLES.step};border-left-color:${MARKS[step.result].colour}`}>
          <strong>{step.title}</strong> {MARKS[step.result].word}
          {step.duration === null ? '' : `, ${step.duration}`}
          {step.detail === null ? null : <div style={STYLES.small}>{oneLine(step.detail)}</div>}
        </div>
      ))}
    </>
  );
}

/** A gap between commands, so that a wrapped command still reads as one. */
function Commands({ lines }: { lines: string[] }): JSX.Element {
  return (
    <pre style={STYLES.machine}>
      {lines.map((line) => (
        <div style={STYLES.command}>{oneLine(line)}</div>
      ))}
    </pre>
  );
}

function Machine({ lines }: { lines: string[] }): JSX.Element {
  return <pre style={STYLES.machine}>{lines.join('\n')}</pre>;
}

/** The address is shown next to its name: a reader sees where a link leads before following it. */
function LinkTo({ label, url, button }: { label: string; url: string; button: boolean }): JSX.Element | null {
  const href = webUrl(url);
  if (href === null) return null;
  return (
    <p style={STYLES.paragraph}>
      {button ? null : `${oneLine(label)}: `}
      <a href={href} style={button ? STYLES.button : STYLES.link}>
        {button ? oneLine(label) : href}
      </a>
    </p>
  );
}

function Foot(letter: Letter): JSX.Element {
  const href = webUrl(letter.page);
  return (
    <div style={STYLES.foot}>
      {href === null ? null : (
        <p style={STYLES.note}>
          diun-pilot:{' '}
          <a href={href} style={STYLES.link}>
            {href}
          </a>
        </p>
      )}
      {notesOf(letter).map((note) => (
        <p style={STYLES.note}>{note}</p>
      ))}
    </div>
  );
}
