import type { RequestHandler, Response } from 'express';
import { decideSoakLink, readSoakLink, type SoakView } from '../../decisions/recovery-links';
import type { Deps as UseCaseDeps } from '../../deps';
import { PilotError } from '../../domain/errors';
import { isOpen } from '../../domain/update';
import { howItEnded } from '../../updates/reason-of-end';
import { backToLink, tokenOf } from '../access/known-links';
import { backupOf } from '../api/update-json';
import type { HttpDeps } from '../deps';
import { livePage } from '../pages/live-page';
import { sendPage } from '../pages/send-page';
import { soakDeclinedPage, soakExpiredPage, soakPage } from '../pages/soak-page';
import { readForm } from '../request/read-body';
import { noteInLog } from '../telemetry/access-log';

type Deps = Pick<HttpDeps, 'soakLinks' | 'clock' | 'store'>;

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
export function showSoak(deps: Deps): RequestHandler {
  return (request, response, next) => {
    const view = deps.soakLinks.read(tokenOf(request));
    if (view === null) return next();
    noteInLog(response, { update: view.update.id });
    if (view.state === 'open') return sendPage(response, 200, soakPage(view, deps.clock.now()));
    sendClosed(deps, response, view, 200);
  };
}

/** The page of a link that no longer decides: the live page, or that its time is over. `whenUsed`: the status of the former. */
function sendClosed({ clock, store }: Deps, response: Response, view: SoakView, whenUsed: 200 | 410): void {
  const { update, state } = view;
  if (state === 'expired') return sendPage(response, 410, soakExpiredPage(view));
  const seen = { update, backup: backupOf(store, update), ...howItEnded(store, update) };
  const html = livePage({ ...seen, now: clock.now(), operator: false });
  sendPage(response, whenUsed, html, { live: isOpen(update.status) });
}

export function decideSoak(deps: Deps): RequestHandler {
  const { soakLinks, clock } = deps;
  return async (request, response, next) => {
    const token = tokenOf(request);
    if (soakLinks.read(token) === null) return next();
    const form = await readForm(request);
    const decision = form.get('decision');
    if (decision !== 'approve' && decision !== 'decline') {
      throw new PilotError('invalid_request', 'The field decision must be approve or decline. Nothing was done.');
    }
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
