import type { ComponentChildren, JSX } from 'preact';
import { oneLine } from '../../../notifications/letter/clean';
import type { Block } from '../../../notifications/letter/letter';
import { Blocks } from '../blocks';

interface Props {
  blocks: Block[];
  /** Heading of the one section that comes first and is open: it must be seen, also if nothing is opened. */
  first?: string;
}

/** Passages of a mail, each folded behind its heading. What has no heading, and every link, stays in sight. */
export function Folds({ blocks, first }: Props): JSX.Element {
  const { open, sections, links } = inSections(blocks);
  return (
    <>
      <Blocks blocks={[...open, ...links]} />
      {sections
        .sort((a, b) => Number(b.heading === first) - Number(a.heading === first))
        .map(({ heading, content }) => (
          <Fold heading={heading} open={heading === first}>
            <Blocks blocks={content} />
          </Fold>
        ))}
    </>
  );
}

interface FoldProps {
  heading: string;
  open?: boolean;
  children: ComponentChildren;
}

/** A part of the page that opens by click or key, without script. */
export function Fold({ heading, open, children }: FoldProps): JSX.Element {
  return (
    <details class="fold" open={open}>
      <summary>{oneLine(heading)}</summary>
      <div>{children}</div>
    </details>
  );
}

interface Sections {
  open: Block[];
  sections: { heading: string; content: Block[] }[];
  links: Block[];
}

function inSections(blocks: Block[]): Sections {
  const found: Sections = { open: [], sections: [], links: [] };
  for (const block of blocks) {
    if (block.type === 'heading') found.sections.push({ heading: block.text, content: [] });
    else if (block.type === 'link') found.links.push(block);
    else (found.sections.at(-1)?.content ?? found.open).push(block);
  }
  return found;
}
