import type { ComponentChildren, JSX } from 'preact';
import { oneLine } from '../../../notifications/letter/clean';

/** Of all pictures, in their own units: as wide as a phone, so that their text has the size of a page's small text. */
export const WIDTH = 340;

interface Props {
  /** Unique on the page, and never from outside. */
  id: string;
  title: string;
  /** Everything that the picture shows, as sentences. */
  description: string;
  height: number;
  children: ComponentChildren;
  /** Explains its marks. */
  legend?: ComponentChildren;
  /** The numbers as a table, folded. */
  numbers?: ComponentChildren;
}

/** A picture without script: inline SVG with a title and a description, and the numbers to open. */
export function Figure({ id, title, description, height, children, legend, numbers }: Props): JSX.Element {
  return (
    <figure class="chart">
      <figcaption>{oneLine(title)}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-labelledby={`${id}-title ${id}-text`}>
        <title id={`${id}-title`}>{oneLine(title)}</title>
        <desc id={`${id}-text`}>{oneLine(description)}</desc>
        {children}
      </svg>
      {legend === undefined ? null : <p class="legend">{legend}</p>}
      {numbers === undefined ? null : (
        <details>
          <summary>
            The numbers<span class="unseen"> of {oneLine(title)}</span>
          </summary>
          {numbers}
        </details>
      )}
    </figure>
  );
}

interface LabelProps {
  x: number;
  y: number;
  text: string;
  end?: boolean;
  soft?: boolean;
}

export function Label({ x, y, text, end, soft }: LabelProps): JSX.Element {
  return (
    <text x={x} y={y} class={soft === true ? 'soft' : undefined} text-anchor={end === true ? 'end' : undefined}>
      {text}
    </text>
  );
}

/** As much of a name as has room. */
export function short(text: string, longest: number): string {
  return oneLine(text, longest);
}

/** Of a coordinate: a tenth is finer than a screen. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
