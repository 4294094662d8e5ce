import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import { type DecisionOutcome, readApproval, updateIdIn } from '../../decisions/approval-links';
import { decideApproval } from '../../decisions/approve';
import type { Deps as UseCaseDeps } from '../../deps';
import { PilotError } from '../../domain/errors';
import {
  backToLink,
  createLinkOpeners,
  onlyKnownLinks,
  tokenOf,
  unknownLink,
  type LinkOpeners,
  type LinkReaders,
} from '../access/known-links';
import type { Update } from '../../domain/update';
import { noteInLog } from '../telemetry/access-log';
import type { FailedLogins } from '../access/failed-logins';
import { refuseCrossSite } from '../access/guards';
import type { HttpDeps } from '../deps';
import { pageFirst, wantsPage } from '../request/negotiate';
import { confirmPage } from '../pages/confirm-page';
import { mayRehearseAgain } from '../pages/decision/rehearsal';
import { closedPage, declinedPage, movedPage, refusedPage, unknownLinkPage } from '../pages/message-page';
import { sendPage } from '../pages/send-page';
import { decisionIn, readForm } from '../request/read-body';
import type { Methods } from '../route';
import { decideRestore, decideSoak, sendLivePage, showRestore, showSoak, showUpdate } from './links';

type Deps = LinkReaders & Pick<HttpDeps, 'clock' | 'mode' | 'publicUrl' | 'requestRehearsal' | 'store'>;

const DECISIONS_A_MINUTE = 120;
const NEVER_REHEARSED =
  'This update was not rehearsed, so the link cannot request a rehearsal: use the operator page or diun-pilot rehearse.';

export function approvalLinks(deps: UseCaseDeps, wake: () => void): Pick<HttpDeps['approvals'], 'read' | 'decide'> {
  return {
    read: (token) => readApproval(deps, token),
    decide: async (token, answer) => {
      const outcome = await decideApproval(deps, token, answer);
      wake();
      return outcome;
    },
  };
}

/** The link of the mail. GET and HEAD change nothing, ever; the buttons POST. `wrong`: tokens that open nothing, by address. */
export function approvalMethods(deps: Deps, wrong: FailedLogins): Methods {
  const admit = onlyKnownLinks(deps, wrong, answerUnknown);
  const openers = createLinkOpeners();
  return {
    get: [pageFirst, admit, showRestore(deps), showSoak(deps), showUpdate(deps), show(deps, openers)],
    post: [
      pageFirst,
      refuseCrossSite(deps),
      admit,
      noViewLinks(deps),
      limitDecisions(),
      decideRestore(deps),
      decideSoak(deps),
      decide(deps, openers),
    ],
  };
}

/** The link at the foot of a mail decides nothing. */
function noViewLinks({ viewLinks }: Deps): RequestHandler {
  return (request, response, next) => {
    if (viewLinks.read(tokenOf(request)) === null) next();
    else answerUnknown(request, response);
  };
}

function show(deps: Deps, openers: LinkOpeners): RequestHandler {
  const { approvals, clock, store, mode } = deps;
  return (request, response) => {
    const view = approvals.read(tokenOf(request));
    if (view.kind === 'unknown') return answerUnknown(request, response);
    noteInLog(response, { update: view.update.id });
    openers.note(request, response, view.update.id);
    if (view.kind === 'open')
      return sendPage(response, 200, confirmPage({ ...view, now: clock.now(), observes: mode === 'observe' }));
    if (view.why !== 'approved') return answerClosed(request, response, view);
    const rehearsal = store.rehearsals.of(view.update.id);
    sendLivePage(response, deps, view.update, { rehearsal, again: 'link', operator: false });
  };
}

function decide(deps: Deps, openers: LinkOpeners): RequestHandler {
  const { approvals, clock } = deps;
  return async (request, response) => {
    const form = await readForm(request);
    if (form.get('rehearse') === 'again') return rehearseAgain(deps, request, response);
    const decision = decisionIn(form, ['approve', 'decline', 'window'], 'Nothing was decided.');
    const seen = openers.use(request, response, updateIdIn(tokenOf(request)));
    const outcome = await approvals.decide(tokenOf(request), { decision, name: form.get('name'), seen });
    if (outcome.kind !== 'unknown') noteInLog(response, { update: outcome.update.id });
    answer(request, response, outcome, clock.now());
  };
}

/** Decides nothing: the link stays open. Also of one that was approved and has not started. Only where the page has the button. */
function rehearseAgain({ approvals, requestRehearsal, store }: Deps, request: Request, response: Response): void {
  const view = approvals.read(tokenOf(request));
  if (view.kind === 'unknown') return answerUnknown(request, response);
  noteInLog(response, { update: view.update.id });
  if (view.kind === 'closed' && view.why !== 'approved') return answerClosed(request, response, view);
  const last = store.rehearsals.of(view.update.id);
  if (last === null) throw new PilotError('invalid_request', NEVER_REHEARSED);
  if (mayRehearseAgain(view.update, last)) requestRehearsal(view.update.id, 'link');
  backToLink(request, response);
}

function answer(request: Request, response: Response, outcome: DecisionOutcome, now: Date): void {
  switch (outcome.kind) {
    case 'unknown':
      return answerUnknown(request, response);
    case 'closed':
      return answerClosed(request, response, outcome);
    case 'approved':
      return backToLink(request, response);
    case 'declined':
      return sendPage(response, 200, declinedPage(outcome.update));
    case 'moved':
      return answerMoved(request, response, outcome.update);
    case 'refused':
      return answerRefused(request, response, outcome);
    case 'not_yet':
      return answerNotYet(request, response, outcome, now);
    case 'name_needed':
      return answerNameNeeded(request, response, outcome, now);
  }
}

function answerUnknown(request: Request, response: Response): void {
  sendRefusal(request, response, { status: 404, html: unknownLinkPage(), error: unknownLink() });
}

function answerClosed(
  request: Request,
  response: Response,
  { why, update }: Extract<DecisionOutcome, { kind: 'closed' }>,
): void {
  const error = new PilotError('link_closed', `This link is closed: ${why}. Nothing was done.`, { details: { why } });
  sendRefusal(request, response, { status: 410, html: closedPage(why, update), error });
}

function answerMoved(request: Request, response: Response, update: Update): void {
  const error = new PilotError(
    'not_waiting',
    'The image or the container changed meanwhile, so nothing was done: look for a new mail.',
  );
  sendRefusal(request, response, { status: 409, html: movedPage(update), error });
}

function answerRefused(
  request: Request,
  response: Response,
  { update, reason }: Extract<DecisionOutcome, { kind: 'refused' }>,
): void {
  const error = new PilotError('registry_refused', `Nothing was approved: ${reason}`);
  sendRefusal(request, response, { status: 502, html: refusedPage(update), error });
}

function answerNotYet(
  request: Request,
  response: Response,
  outcome: Extract<DecisionOutcome, { kind: 'not_yet' }>,
  now: Date,
): void {
  const error = new PilotError(outcome.notYet.code, `Nothing was approved. ${outcome.notYet.reason}`);
  sendRefusal(request, response, { status: 409, html: confirmPage({ ...outcome, now, tooEarly: true }), error });
}

function answerNameNeeded(
  request: Request,
  response: Response,
  outcome: Extract<DecisionOutcome, { kind: 'name_needed' }>,
  now: Date,
): void {
  const error = new PilotError('name_needed', 'Send the name of the container in the field name to approve.');
  sendRefusal(request, response, { status: 422, html: confirmPage({ ...outcome, now, nameMissed: true }), error });
}

/** The page that says it, or the error for a program. */
function sendRefusal(
  request: Request,
  response: Response,
  { status, html, error }: { status: number; html: string; error: PilotError },
): void {
  if (!wantsPage(request, response)) throw error;
  sendPage(response, status, html);
}

/** By link, not by address: behind a proxy all have one. */
function limitDecisions(): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit: DECISIONS_A_MINUTE,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (request) => createHash('sha256').update(tokenOf(request)).digest('hex'),
    validate: { xForwardedForHeader: false, ip: false },
    handler: (_request, _response, next) =>
      next(new PilotError('too_many_requests', 'The buttons of this link were pressed too often: wait a minute.')),
  });
}
