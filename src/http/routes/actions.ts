import type { RequestHandler } from 'express';
import { isNameMissing } from '../../domain/approval';
import { PilotError } from '../../domain/errors';
import type { Update } from '../../domain/update';
import { personOf } from '../access/client-address';
import { isFormToken } from '../access/form-token';
import { refuseCrossSite } from '../access/guards';
import type { HttpDeps } from '../deps';
import { pageFirst } from '../request/negotiate';
import type { Action } from '../pages/operator/action-form';
import { readForm } from '../request/read-body';
import type { Methods } from '../route';
import type { Done } from './operator';

type Person = ReturnType<typeof personOf>;
type Act = (deps: HttpDeps, id: string, by: Person, form: URLSearchParams) => Promise<unknown>;

const ACTS: Record<Exclude<Action, keyof typeof REQUESTS>, Act> = {
  approve: (deps, id, by, form) => approve(deps, id, by, { name: form.get('name'), decision: 'approve' }),
  window: (deps, id, by, form) => approve(deps, id, by, { name: form.get('name'), decision: 'window' }),
  decline: ({ approvals }, id, by) => approvals.decideById(id, 'decline', by),
  backup: (deps, project) => deps.requestBackups(project === '' ? {} : { project }),
  renew: (deps) => Promise.resolve(deps.requestRenewal()),
  rehearse: (deps, id) => Promise.resolve().then(() => deps.requestRehearsal(id)),
};

/** Those that request an update. */
const REQUESTS = { 'start-now': startNow, retry };

/** A button of the operator page. Back to that page with a code that says what came of it, or to the page of the update that had the button. */
export function actionMethods(deps: HttpDeps, action: Action, guard: RequestHandler): Methods {
  const act: RequestHandler = async (request, response) => {
    const form = await readForm(request);
    const id = form.get('id') ?? '';
    if (!isFormToken(deps.formSecret, form.get('form') ?? '', action, id, deps.clock.now())) {
      throw new PilotError('form_expired', 'This form is too old, so nothing was done: load the page again.');
    }
    const outcome = await actionOutcome(() => pressed(deps, action, id, personOf(response), form));
    const back = form.get('back') === 'update' && outcome.name === 'done';
    response.redirect(303, back ? `../updates/${encodeURIComponent(id)}` : `../?${outcome.name}=${outcome.code}`);
  };
  return { post: [pageFirst, refuseCrossSite(deps), guard, act] };
}

async function pressed(deps: HttpDeps, action: Action, id: string, by: Person, form: URLSearchParams): Promise<Done> {
  if (action === 'start-now' || action === 'retry') {
    const { status } = await REQUESTS[action](deps, id, by);
    if (status === 'awaiting_approval') return 'asks';
    return status === 'ignored' ? 'ignored' : action;
  }
  await ACTS[action](deps, id, by, form);
  return action;
}

async function actionOutcome(act: () => Promise<Done>): Promise<{ name: 'done' | 'problem'; code: string }> {
  try {
    return { name: 'done', code: await act() };
  } catch (error) {
    if (error instanceof PilotError) return { name: 'problem', code: error.code };
    throw error;
  }
}

/** As behind the link of the mail: whose container holds data must type its name. */
async function approve(
  { store, approvals }: HttpDeps,
  id: string,
  by: Person,
  { name, decision }: { name: string | null; decision: 'approve' | 'window' },
): Promise<void> {
  const update = store.updates.get(id);
  const plan = store.updates.plan(id);
  if (update !== null && plan !== null && isNameMissing(plan, update, name)) {
    throw new PilotError('name_needed', 'Type the name of the container to approve.');
  }
  await approvals.decideById(id, decision, by);
}

/** A queued update that waits for its window or for the age of its digest. */
async function startNow(deps: HttpDeps, id: string, by: Person): Promise<Update> {
  const update = deps.store.updates.get(id);
  if (update === null || update.container === null || update.status !== 'queued' || update.to.digest === null) {
    throw new PilotError('not_waiting', 'This update is no longer waiting in the queue.');
  }
  return deps.requestUpdate({ container: update.container, image: `${update.to.reference}@${update.to.digest}` }, by);
}

/** The very digest that was refused, whatever its tag names by now. */
async function retry(deps: HttpDeps, updateId: string, by: Person): Promise<Update> {
  const { store } = deps;
  const refusal = store.refusals.all().find((each) => each.updateId === updateId);
  const refused = store.updates.get(updateId);
  if (refusal === undefined || refused === null) {
    throw new PilotError('update_not_found', 'This digest is no longer in quarantine or declined.');
  }
  return deps.requestUpdate({ container: refusal.container, image: `${refused.to.reference}@${refusal.digest}` }, by);
}
