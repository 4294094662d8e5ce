import type { ComponentChildren, JSX } from 'preact';
import { render } from 'preact-render-to-string';
import { logLines, oneLine, webUrl } from './clean';
import { notesOf, type Block, type Fact, type Letter, type StepLine, type Tone } from './letter';

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

// Colours that are readable on white and on black: text and background follow the reader's `color-scheme`. Only the
// verdict and the button set their own, with white text at a contrast of at least 4.9:1.
export const TONES: Record<Tone, string> = {
  good: '#1a7f37',
  notice: '#0550ae',
  attention: '#9a6700',
  alarm: '#b42318',
};

export const MARKS: Record<StepLine['result'], { word: string; colour: string }> = {
  succeeded: { word: 'succeeded', colour: '#2da44e' },
  failed: { word: 'failed', colour: '#e5484d' },
  skipped: { word: 'skipped', colour: '#8c8c8c' },
  running: { word: 'was running', colour: '#bf8700' },
};

const WRAP = 'overflow-wrap:anywhere;word-break:break-word';
const MONOSPACE = 'font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace';
const TINT = 'background:rgba(128,128,128,.16)';

const STYLES = {
  document: 'color-scheme:light dark',
  body: 'margin:0;padding:0',
  column: `max-width:600px;margin:0 auto;padding:16px;box-sizing:border-box;font:16px/1.5 -apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;${WRAP}`,
  verdict:
    'display:inline-block;margin:0 0 12px;padding:4px 12px;border-radius:4px;color:#fff;font-size:14px;font-weight:700;letter-spacing:.04em;text-transform:uppercase',
  title: 'margin:0 0 16px;font-size:24px;line-height:1.25',
  heading: 'margin:28px 0 8px;font-size:17px;line-height:1.3',
  paragraph: 'margin:0 0 12px',
  important: `margin:0 0 12px;padding:10px 12px;border-left:4px solid #e5484d;font-weight:700;${TINT}`,
  fact: 'margin:0 0 10px',
  label: 'font-size:13px;opacity:.75',
  value: 'word-break:break-all',
  digest: `font-size:13px;word-break:break-all;${MONOSPACE}`,
  command: 'margin:4px 0',
  list: 'margin:0 0 12px;padding-left:24px',
  item: 'margin:0 0 6px',
  step: 'margin:0 0 8px;padding:2px 0 2px 12px;border-left:4px solid',
  small: 'font-size:14px;opacity:.85',
  machine: `margin:0 0 12px;padding:10px 12px;border-radius:4px;font-size:13px;line-height:1.45;white-space:pre-wrap;${TINT};${MONOSPACE};${WRAP}`,
  link: 'word-break:break-all',
  button:
    'display:inline-block;padding:12px 20px;border-radius:6px;background:#0550ae;color:#fff;font-weight:700;text-decoration:none',
  preview: 'display:none;max-height:0;overflow:hidden;mso-hide:all',
  note: 'margin:0 0 8px',
  foot: 'margin:32px 0 0;padding:12px 0 0;border-top:1px solid rgba(128,128,128,.4);font-size:13px',
} as const;
