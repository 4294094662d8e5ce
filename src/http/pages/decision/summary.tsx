import type { JSX } from 'preact';
import { shortDigest } from '../../../domain/format';
import { splitReference } from '../../../domain/images/image-reference';
import type { Plan } from '../../../domain/plan/plan';
import type { ImageAt } from '../../../domain/update';
import { oneLine } from '../../../notifications/letter/clean';
import { JUMPS } from '../../../notifications/mails/passages/passages';
import { typeset } from '../blocks';
import { mayRehearseAgain } from './rehearse-again';
import { REHEARSAL, summaryRows, type Considered } from './summary-rows';

interface Props extends Considered {
  linked?: boolean;
  /** Requests another rehearsal: shown next to the verdict of the last one. */
  again?: JSX.Element;
}

/**
 * What an operator needs to decide, before the buttons: from and to, the risk, the downtime, the backup. `linked`: the
 * details are on the same page.
 */
export function Summary({ linked = false, again, ...considered }: Props): JSX.Element {
  const { plan } = considered;
  return (
    <div class="summary">
      <FromTo from={plan.from} to={plan.to} what={whatOf(plan)} />
      {(plan.warnings ?? []).map((warning) => (
        <p class="important">{typeset(warning)}</p>
      ))}
      <dl>
        {summaryRows(considered).map(({ term, text, more }) => (
          <div>
            <dt>{term}</dt>
            <dd>
              {typeset(text)}
              {more === undefined || !linked ? null : (
                <>
                  {' '}
                  <a href={more.href}>{more.text}</a>
                </>
              )}
              {term === REHEARSAL && mayRehearseAgain(considered.update, considered.surroundings.rehearsal)
                ? again
                : null}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** ` · project git · patch version` */
function whatOf({ project, jump }: Plan): string {
  return [...(project === null ? [] : [`project ${oneLine(project)}`]), JUMPS[jump]]
    .map((each) => ` · ${each}`)
    .join('');
}

/** The tags large; the digests in short, since the decision is about them. A tag that stays is shown once. */
function FromTo({ from, to, what }: { from: ImageAt; to: ImageAt; what: string }): JSX.Element {
  const [old, next] = [splitReference(from.reference), splitReference(to.reference)];
  const moves = from.reference !== to.reference;
  return (
    <div class="from-to">
      <p class="small">
        {oneLine(next.name)}
        {what}
      </p>
      <p class="versions">
        {moves ? (
          <>
            {oneLine(old.name === next.name ? nameOf(from.reference) : from.reference)} <To />{' '}
          </>
        ) : null}
        <strong>{oneLine(nameOf(to.reference))}</strong>
      </p>
      <p class="digests">
        {from.digest === null ? 'unknown' : oneLine(shortDigest(from.digest))} <To /> {oneLine(shortDigest(to.digest))}
      </p>
    </div>
  );
}

/** The tag, or what stands in its place. */
function nameOf(reference: string): string {
  const { tag, digest } = splitReference(reference);
  return tag ?? (digest === null ? 'latest' : shortDigest(digest));
}

function To(): JSX.Element {
  return (
    <>
      <span aria-hidden="true">→</span>
      <span class="unseen">to</span>
    </>
  );
}
