import { formatMinute, formatTime, codeAsText } from '../../../domain/format';
import type { JSX } from 'preact';
import { whyNotYet, type NotYet } from '../../../domain/approval';
import type { Plan } from '../../../domain/plan/plan';
import { type Update, UPDATE_STATUSES } from '../../../domain/update';
import { oneLine } from '../../../notifications/letter/clean';
import { notesPassage } from '../../../notifications/mails/passages/surroundings';
import { nameOf, planPassage } from '../../../notifications/mails/passages/passages';
import { Blocks, typeset } from '../blocks';
import { nextWindowText, ago } from '../words';
import { REHEARSE_AGAIN } from '../decision/rehearsal';
import { Summary } from '../decision/summary';
import { ActionForm } from './action-form';
import type { HistoryFilter, OperatorData } from './operator-data';
import { Doing, Status, Table, UpdateLink, Versions } from './table';

/** Pending approvals, each with its plan. */
export function Waiting(data: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="waiting">
      <h2 id="waiting">Pending approvals</h2>
      {data.waiting.length === 0 ? <p>No pending approvals.</p> : null}
      {data.waiting.map(({ update, plan, surroundings }) => (
        <article class="card">
          <h3>{oneLine(nameOf(update))}</h3>
          {plan === null ? (
            <Versions update={update} />
          ) : (
            <Summary {...{ update, plan, surroundings, now: data.now }} again={<Again update={update} data={data} />} />
          )}
          <div>
            <p>{oneLine(update.reason)}</p>
            {update.approval === null ? null : (
              <p class="small">
                Expires {formatTime(update.approval.expiresAt)} ({ago(update.approval.expiresAt, data.now)}).
              </p>
            )}
            <Buttons
              {...{ update, plan, data }}
              notYet={plan === null ? null : whyNotYet(plan, update, surroundings.rehearsal, data.now)}
            />
          </div>
          {plan === null ? null : <PlanOf update={update} plan={plan} />}
        </article>
      ))}
    </section>
  );
}

function Again({ update, data }: { update: Update; data: OperatorData }): JSX.Element {
  const { tokenFor } = data;
  const of = `the update of ${oneLine(nameOf(update))}`;
  return <ActionForm {...{ id: update.id, tokenFor, of }} action="rehearse" text={REHEARSE_AGAIN} />;
}

function PlanOf({ update, plan }: { update: Update; plan: Plan }): JSX.Element {
  return (
    <details>
      <summary>
        The plan<span class="unseen"> for {oneLine(nameOf(update))}</span>
      </summary>
      <div class="plan">
        <Blocks
          blocks={[...notesPassage(update), ...planPassage({ update, plan }, 'What to do afterwards')].map((block) =>
            block.type === 'heading' ? { type: 'paragraph', text: `${block.text}:` } : block,
          )}
        />
      </div>
    </details>
  );
}

interface ButtonsProps {
  update: Update;
  plan: Plan | null;
  data: OperatorData;
  notYet: NotYet | null;
}

function Buttons({ update, plan, data, notYet }: ButtonsProps): JSX.Element {
  const of = `the update of ${oneLine(nameOf(update))}`;
  const window = plan === null ? null : nextWindowText(plan, data.now);
  const common = { id: update.id, tokenFor: data.tokenFor, of };
  return (
    <div class="actions">
      {notYet === null ? (
        <ActionForm {...common} action="approve" text="Approve">
          <NameOf update={update} plan={plan} />
        </ActionForm>
      ) : (
        <p>You cannot approve this update yet. {typeset(notYet.reason)}</p>
      )}
      {window !== null && notYet === null ? (
        <ActionForm {...common} action="window" text={window}>
          <NameOf update={update} plan={plan} />
        </ActionForm>
      ) : null}
      <ActionForm {...common} action="decline" text="Decline" />
    </div>
  );
}

/** Of a container that holds data, its name must be typed to approve, now or for the window. */
function NameOf({ update, plan }: { update: Update; plan: Plan | null }): JSX.Element | null {
  if (plan?.holdsData !== true) return null;
  return (
    <label>
      {oneLine(nameOf(update))} holds data: type its name to approve
      <input name="name" type="text" required autocomplete="off" autocapitalize="none" spellcheck={false} />
    </label>
  );
}

export function Working({ working, now, mode, tokenFor }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="working">
      <h2 id="working">In progress</h2>
      <Table
        caption="Running and queued updates"
        columns={['Container', 'Status', 'Step', 'From, to', 'When']}
        rows={working.map((update) => [
          oneLine(nameOf(update)),
          <Status update={update} />,
          update.notBefore === null || update.status !== 'queued' ? (
            <Doing {...{ update, mode }} />
          ) : (
            <>
              Waits until {formatMinute(update.notBefore)}{' '}
              <ActionForm
                {...{ id: update.id, tokenFor, of: `the update of ${oneLine(nameOf(update))}` }}
                action="start-now"
                text="Start now"
              />
            </>
          ),
          <Versions update={update} />,
          <UpdateLink update={update} text={`${ago(update.startedAt ?? update.createdAt, now)}, follow`} />,
        ])}
        empty="No update is running."
      />
    </section>
  );
}

export function History({ history: { filter, updates, next }, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      <Filter {...filter} />
      <Table
        caption="Updates, newest first"
        columns={['Container', 'Status', 'From, to', 'Why', 'When']}
        rows={updates.map((update) => [
          <UpdateLink
            update={update}
            text={oneLine(nameOf(update))}
            unseen={`: its update, ${codeAsText(update.status)}`}
          />,
          <Status update={update} />,
          <Versions update={update} />,
          oneLine(update.reason),
          ago(update.finishedAt ?? update.createdAt, now),
        ])}
        empty="No matching updates."
      />
      <p class="pages">
        {filter.cursor === undefined ? null : <a href={pageOf(filter)}>The newest updates</a>}
        {next === null ? null : <a href={pageOf(filter, next)}>Older updates</a>}
      </p>
    </section>
  );
}

/** The page after a cursor; without one, the first. The filter stays. */
function pageOf({ status, container }: HistoryFilter, cursor?: string): string {
  const query = new URLSearchParams({ status: status ?? '', container: container ?? '' });
  if (cursor !== undefined) query.set('cursor', cursor);
  return `?${query.toString()}#history`;
}

/** Open while a filter is set. */
function Filter({ status, container }: HistoryFilter): JSX.Element {
  return (
    <details open={status !== undefined || container !== undefined}>
      <summary>Filter</summary>
      <FilterForm status={status} container={container} />
    </details>
  );
}

function FilterForm({ status, container }: HistoryFilter): JSX.Element {
  return (
    <form method="get" action="#history" class="filter" role="search" aria-label="Filter of the history">
      <p>
        <label for="status">Status</label>
        <select id="status" name="status">
          <option value="">any</option>
          {UPDATE_STATUSES.map((each) => (
            <option value={each} selected={each === status}>
              {codeAsText(each)}
            </option>
          ))}
        </select>
      </p>
      <p>
        <label for="container">Container</label>
        <input id="container" name="container" type="text" value={container ?? ''} autocapitalize="none" />
      </p>
      <button>Show</button>
    </form>
  );
}
