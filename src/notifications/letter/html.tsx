import type { ComponentChildren, JSX } from 'preact';
import { render } from 'preact-render-to-string';
import { logLines, oneLine, webUrl } from './clean';
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
        <div style={STYLES.column}>
          <p style={`${STYLES.verdict};background:${TONES[letter.verdict.tone]}`}>{oneLine(letter.verdict.word)}</p>
          <h1 style={STYLES.title}>{oneLine(letter.heading)}</h1>
          {letter.blocks.map((block) => (
            <BlockView block={block} />
          ))}
          <Foot page={letter.page} />
        </div>
      </body>
    </html>
  );
}

function BlockView({ block }: { block: Block }): JSX.Element {
  switch (block.type) {
    case 'heading':
      return <h2 style={STYLES.heading}>{oneLine(block.text)}</h2>;
    case 'paragraph':
      return <p style={STYLES.paragraph}>{oneLine(block.text)}</p>;
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
  const entries: ComponentChildren = items.map((item) => <li style={STYLES.item}>{oneLine(item)}</li>);
  return ordered ? <ol style={STYLES.list}>{entries}</ol> : <ul style={STYLES.list}>{entries}</ul>;
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

/** One below the other with a gap, so that a wrapped command still reads as one. */
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

/** The address is shown beside its name: a reader sees where a link leads before following it. */
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

function Foot({ page }: { page: string }): JSX.Element | null {
  const href = webUrl(page);
  if (href === null) return null;
  return (
    <p style={STYLES.foot}>
      diun-pilot:{' '}
      <a href={href} style={STYLES.link}>
        {href}
      </a>
    </p>
  );
}
