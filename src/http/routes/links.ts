import type { Request, RequestHandler, Response } from 'express';
import { readViewLink } from '../../decisions/approval-links';
import {
  decideRestoreLink,
  readRestoreLink,
  trustOfSet,
  type RestoreDecision,
  type SetTrust,
  decideSoakLink,
  readSoakLink,
  type SoakView,
} from '../../decisions/recovery-links';
import type { Deps as UseCaseDeps } from '../../deps';
import { PilotError } from '../../domain/errors';
import { isOpen, type Update } from '../../domain/update';
import { howUpdateEnded } from '../../updates/reason-of-end';
import { backToLink, tokenOf } from '../access/known-links';
import { type Followed, livePage } from '../pages/live-page';
import { viewEndedPage } from '../pages/message-page';
import { soakDeclinedPage, soakExpiredPage, soakPage } from '../pages/soak-page';
import { wantsPage } from '../request/negotiate';
import { noteInLog } from '../telemetry/access-log';
import type { HttpDeps } from '../deps';
import { RESTORE_REFRESH_SECONDS, restoreDeclinedPage, restorePage, restoreStatePage } from '../pages/restore-page';
import { sendPage } from '../pages/send-page';
import { decisionIn, readForm } from '../request/read-body';

type ViewDeps = Pick<HttpDeps, 'viewLinks' | 'clock' | 'store'>;

export function viewLinks(deps: UseCaseDeps): HttpDeps['viewLinks'] {
  return { read: (token) => readViewLink(deps, token) };
}

/** The address at the foot of an update's mails: its live page, which decides nothing. */
export function showUpdate(deps: ViewDeps): RequestHandler {
  return (request, response, next) => {
    const link = deps.viewLinks.read(tokenOf(request));
    if (link === null) return next();
    const { update, expired } = link;
    noteInLog(response, { update: update.id });
    if (expired) {
      if (!wantsPage(request, response)) throw viewEnded();
      return sendPage(response, 410, viewEndedPage());
    }
    sendLivePage(response, deps, update, { operator: update.status === 'awaiting_approval' });
  };
}

/** The page that follows an update, with its backup and what its journal says. */
export function sendLivePage(
  response: Response,
  { store, clock }: Pick<HttpDeps, 'store' | 'clock'>,
  update: Update,
  { status = 200, ...shown }: { status?: 200 | 410 } & Pick<Followed, 'operator' | 'rehearsal' | 'again' | 'home'>,
): void {
  const seen = { update, backup: store.backups.of(update), ...howUpdateEnded(store, update) };
  sendPage(response, status, livePage({ ...seen, ...shown, now: clock.now() }), { live: isOpen(update.status) });
}

export function viewEnded(): PilotError {
  const why = 'expired';
  return new PilotError(
    'link_closed',
    'This link has expired: the history of the operator page still has the update.',
    { details: { why } },
  );
}

type RestoreDeps = Pick<HttpDeps, 'restoreLinks' | 'clock'>;

const UNREAD: SetTrust = { distrust: null, sha256: null };

export function restoreLinks(deps: UseCaseDeps, wake: () => void): HttpDeps['restoreLinks'] {
  return {
    read: (token) => readRestoreLink(deps, token),
    trust: (view) => trustOfSet(deps, view),
    decide: (token, answer) => {
      const decided = decideRestoreLink(deps, token, answer);
      wake();
      return decided;
    },
  };
}

/** Links to restore come by the same address as approvals, signed for a purpose of their own. GET changes nothing. */
export function showRestore({ restoreLinks, clock }: RestoreDeps): RequestHandler {
  return async (request, response, next) => {
    const view = restoreLinks.read(tokenOf(request));
    if (view === null) return next();
    noteInLog(response, { update: view.update.id });
    if (view.state === 'open') {
      const trust = await restoreLinks.trust(view);
      return sendPage(response, 200, restorePage(view, trust, clock.now()));
    }
    if (view.restore?.finishedAt === null) response.set('Refresh', String(RESTORE_REFRESH_SECONDS));
    sendPage(response, view.state === 'used' ? 200 : 410, restoreStatePage(view));
  };
}

export function decideRestore({ restoreLinks, clock }: RestoreDeps): RequestHandler {
  return async (request, response, next) => {
    const view = restoreLinks.read(tokenOf(request));
    if (view === null) return next();
    const form = await readForm(request);
    const decision = decisionIn(form, ['approve', 'decline'], 'Nothing was done.');
    const trust = view.state === 'open' ? await restoreLinks.trust(view) : UNREAD;
    const asked = { decision, name: form.get('name'), seenManifest: form.get('manifest'), trust } as const;
    const decided = restoreLinks.decide(tokenOf(request), asked);
    if (decided === null) return next();
    noteInLog(response, { update: decided.update.id });
    answerRestore({ request, response, decided, trust, now: clock.now() });
  };
}

interface RestoreAnswer {
  request: Request;
  response: Response;
  decided: RestoreDecision;
  trust: SetTrust;
  now: Date;
}

function answerRestore({ request, response, decided, trust, now }: RestoreAnswer): void {
  switch (decided.outcome) {
    case 'queued':
      return backToLink(request, response);
    case 'declined':
      return sendPage(response, 200, restoreDeclinedPage(decided));
    case 'name_needed':
      return sendPage(response, 422, restorePage(decided, trust, now, 'name'));
    case 'distrusted':
      return sendPage(response, 409, restorePage(decided, trust, now, 'trust'));
    case 'closed':
      return sendPage(response, 410, restoreStatePage(decided));
  }
}

type SoakDeps = Pick<HttpDeps, 'soakLinks' | 'clock' | 'store'>;

export function soakLinks(deps: UseCaseDeps, wake: () => void): HttpDeps['soakLinks'] {
  return {
    read: (token) => readSoakLink(deps, token),
    decide: (token, answer) => {
      const decided = decideSoakLink(deps, token, answer);
      wake();
      return decided;
    },
  };
}

/** The link of a failure in the soak, by the same address as approvals. Once it is used, it shows the live page. GET changes nothing. */
export function showSoak(deps: SoakDeps): RequestHandler {
  return (request, response, next) => {
    const view = deps.soakLinks.read(tokenOf(request));
    if (view === null) return next();
    noteInLog(response, { update: view.update.id });
    if (view.state === 'open') return sendPage(response, 200, soakPage(view, deps.clock.now()));
    sendClosed(deps, response, view, 200);
  };
}

/** The page of a link that no longer decides: the live page, or that its time is over. `whenUsed`: the status of the former. */
function sendClosed(deps: SoakDeps, response: Response, view: SoakView, whenUsed: 200 | 410): void {
  if (view.state === 'expired') return sendPage(response, 410, soakExpiredPage(view));
  sendLivePage(response, deps, view.update, { status: whenUsed, operator: false });
}

export function decideSoak(deps: SoakDeps): RequestHandler {
  const { soakLinks, clock } = deps;
  return async (request, response, next) => {
    const token = tokenOf(request);
    if (soakLinks.read(token) === null) return next();
    const form = await readForm(request);
    const decision = decisionIn(form, ['approve', 'decline'], 'Nothing was done.');
    const decided = soakLinks.decide(token, { decision, data: form.get('data'), name: form.get('name') });
    if (decided === null) return next();
    noteInLog(response, { update: decided.update.id });
    switch (decided.outcome) {
      case 'chosen':
        return backToLink(request, response);
      case 'declined':
        return sendPage(response, 200, soakDeclinedPage(decided));
      case 'name_needed':
        return sendPage(response, 422, soakPage(decided, clock.now(), 'name_needed'));
      case 'not_offered':
        return sendPage(response, 409, soakPage(decided, clock.now(), 'not_offered'));
      case 'closed':
        return sendClosed(deps, response, decided, 410);
    }
  };
}
