import type { RequestHandler } from 'express';
import { ERROR_CODES, type ErrorCode } from '../../domain/errors';
import { nextTurn } from '../../lib/concurrency';
import { historyQuery } from '../api/schemas';
import type { HttpDeps } from '../deps';
import type { AskHealth } from '../health/health';
import { pageFirst } from '../request/negotiate';
import type { Action } from '../pages/operator/action-form';
import type { Outcome } from '../pages/operator/operator-data';
import { operatorPage } from '../pages/operator/operator-page';
import { sendPage } from '../pages/send-page';
import { readOperatorData } from './read-operator-data';
import type { Methods } from '../route';
import { validateQuery } from '../request/read-body';

/** `GET /`: reads only. */
export function operatorMethods(deps: HttpDeps, askHealth: AskHealth, guard: RequestHandler[]): Methods {
  const show: RequestHandler = async (request, response) => {
    const { done, problem, ...filter } = validateQuery(historyQuery, request);
    const data = await readOperatorData(deps, askHealth, filter, outcomeOf(done, problem));
    await nextTurn();
    sendPage(response, 200, operatorPage(data));
  };
  return { get: [pageFirst, ...guard, show] };
}

const DONE: Record<Action, string> = {
  approve: 'Approved: it starts as soon as nothing else runs.',
  window: 'Approved: it starts in the next update window.',
  'start-now': 'It starts as soon as nothing else runs.',
  decline: 'Declined: the container stays as it is, and this version is not offered again.',
  backup: 'The backup is queued: it starts as soon as nothing else runs.',
  renew: 'The renewal is queued: it starts as soon as nothing else runs.',
  rehearse: 'The rehearsal is queued: it starts as soon as nothing else runs.',
  retry: 'The version is tried again: it starts as soon as nothing else runs.',
};

/** Only our own text: the address has a code, and an unknown code shows nothing. */
function outcomeOf(done = '', problem = ''): Outcome | null {
  if (Object.hasOwn(DONE, done)) return { tone: 'good', words: DONE[done as Action] };
  if (!Object.hasOwn(ERROR_CODES, problem)) return null;
  return { tone: 'alarm', words: `Nothing was done. ${ERROR_CODES[problem as ErrorCode]} (${problem}).` };
}
