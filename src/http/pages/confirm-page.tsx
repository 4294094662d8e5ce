import type { JSX, ComponentChildren } from 'preact';
import { type NotYet, whyNotYet } from '../../domain/approval';
import { formatTime } from '../../domain/format';
import { oneLine } from '../../notifications/letter/clean';
import type { Block } from '../../notifications/letter/letter';
import { plannedVersions, planPassage } from '../../notifications/mails/passages/passages';
import { surroundingsPassage } from '../../notifications/mails/passages/surroundings';
import { Blocks, typeset } from './blocks';
import { Downtimes } from './charts/downtimes';
import { rehearsalDetails, RehearseByLink } from './decision/rehearsal';
import { type Considered, Summary } from './decision/summary';
import { NameField, Observes, page } from './layout';
import { ReleaseNotes } from './release-notes/release-notes';
import { ago, nextWindowText } from './words';

interface Offer extends Considered {
  /** Approved without the right name. */
  nameMissed?: boolean;
  /** Approved before that was possible. */
  tooEarly?: boolean;
  /** diun-pilot observes: the page has no button that approves, since it would be refused. */
  observes?: boolean;
}

/**
 * The page that the link of the mail opens. The first screen of a phone has what the decision needs, and the buttons;
 * the whole plan is folded below them. No script, no cookie; opening it changes nothing.
 */
export function confirmPage(offer: Offer): string {
  const { plan } = offer;
  return page({
    title: `Update ${plan.container}?`,
    header: <p class="badge attention">{offer.observes === true ? 'Observe mode' : 'Approval required'}</p>,
    children: (
      <>
        {offer.nameMissed === true ? <NameMissed container={plan.container} /> : null}
        {offer.observes === true ? <Observes /> : null}
        <h1>Update {oneLine(plan.container)}?</h1>
        <Summary {...offer} linked again={<RehearseByLink container={plan.container} />} />
        <Decide {...offer} />
        <Details {...offer} />
        <ReleaseNotes update={offer.update} releases={offer.surroundings.releases} />
      </>
    ),
  });
}

function NameMissed({ container }: { container: string }): JSX.Element {
  return (
    <div class="notice alarm" role="alert">
      <p>
        <strong>Nothing was decided.</strong> The name you typed is not the name of the container. Type{' '}
        <strong>{oneLine(container)}</strong> exactly as shown here, then approve again.{' '}
        <a href="#name">Go to the field</a>
      </p>
    </div>
  );
}

/** When the window is open, now is that time already. */
function InWindow({ plan, now }: Pick<Offer, 'plan' | 'now'>): JSX.Element | null {
  const text = nextWindowText(plan, now);
  if (text === null) return null;
  return (
    <button name="decision" value="window">
      {text}
    </button>
  );
}

/** What must happen first, in place of the buttons that approve. */
function FirstThis({ notYet, tooEarly }: { notYet: NotYet; tooEarly: boolean }): JSX.Element {
  return (
    <div class={`notice ${tooEarly ? 'alarm' : 'attention'}`} role={tooEarly ? 'alert' : undefined}>
      <p>
        <strong>{tooEarly ? 'Nothing was decided.' : 'You cannot approve this update yet.'}</strong>{' '}
        {typeset(notYet.reason)}
      </p>
    </div>
  );
}

function Decide(offer: Offer): JSX.Element {
  const { update, plan, now, nameMissed, observes } = offer;
  const notYet = whyNotYet(plan, update, offer.surroundings.rehearsal, now);
  const canApprove = notYet === null && observes !== true;
  return (
    <form method="post" id="decide" class="decide" aria-label="Decide">
      {notYet === null ? null : <FirstThis notYet={notYet} tooEarly={offer.tooEarly === true} />}
      {plan.holdsData && canApprove ? (
        <NameField container={plan.container} to="approve" wrong={nameMissed === true} />
      ) : null}
      <div class="buttons">
        {canApprove ? (
          <>
            <button class="approve" name="decision" value="approve">
              Approve and update now
            </button>
            <InWindow plan={plan} now={now} />
          </>
        ) : null}
        <div class="decline" id="decline">
          <p class="came-to-decline">You followed the decline link. Press this button to decline.</p>
          <button name="decision" value="decline" formnovalidate>
            Decline this version
          </button>
        </div>
      </div>
      <p class="small">
        Nothing has been changed. Opening this page changes nothing; only the buttons do. If you decline, this version
        is not offered again and {oneLine(plan.container)} stays as it is.
        {update.approval === null ? null : (
          <>
            {' '}
            If you do nothing, nothing happens: the offer expires at {typeset(formatTime(update.approval.expiresAt))} (
            {ago(update.approval.expiresAt, now)}).
          </>
        )}
      </p>
    </form>
  );
}

function PastUpdates({ plan, surroundings: { past = [] } }: Pick<Offer, 'plan' | 'surroundings'>): JSX.Element | null {
  if (!past.some(({ awaySeconds }) => awaySeconds !== null)) return null;
  return (
    <Fold heading="Past updates">
      <Downtimes past={past} title={`Downtime of ${plan.container} in past updates`} ofOne />
    </Fold>
  );
}

/** The whole plan. A new subject adds its fold here, and its row to the summary. */
function Details({ update, plan, surroundings, now }: Offer): JSX.Element {
  return (
    <section aria-labelledby="details">
      <h2 id="details">The whole plan</h2>
      <p>Reason for the approval: {oneLine(update.reason)}</p>
      <Folds
        first="What can go wrong"
        blocks={[
          ...rehearsalDetails(surroundings.rehearsal),
          ...surroundingsPassage(surroundings, plan, (time) => `${formatTime(time)} (${ago(time, now)})`),
          ...planPassage({ update, plan }, 'What to do afterwards'),
          { type: 'heading', text: 'The exact images' },
          plannedVersions({ update, plan }, { from: 'Current version', to: 'New version' }),
        ]}
      />
      <PastUpdates plan={plan} surroundings={surroundings} />
    </section>
  );
}

interface FoldsProps {
  blocks: Block[];
  /** Heading of the one section that comes first and is open: it must be seen, also if nothing is opened. */
  first?: string;
}

/** Passages of a mail, each folded behind its heading. What has no heading, and every link, stays in sight. */
function Folds({ blocks, first }: FoldsProps): JSX.Element {
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
function Fold({ heading, open, children }: FoldProps): JSX.Element {
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
