import type { Request, RequestHandler, Response } from 'express';
import {
  decideRestoreLink,
  readRestoreLink,
  trustOf,
  type RestoreDecision,
  type SetTrust,
} from '../../decisions/recovery-links';
import type { Deps as UseCaseDeps } from '../../deps';
import { PilotError } from '../../domain/errors';
import { backToLink, tokenOf } from '../access/known-links';
import { noteInLog } from '../telemetry/access-log';
import type { HttpDeps } from '../deps';
import { RESTORE_REFRESH_SECONDS, restoreDeclinedPage, restorePage, restoreStatePage } from '../pages/restore-page';
import { sendPage } from '../pages/send-page';
import { readForm } from '../request/read-body';

type Deps = Pick<HttpDeps, 'restoreLinks' | 'clock'>;

const UNREAD: SetTrust = { distrust: null, sha256: null };

export function restoreLinks(deps: UseCaseDeps, wake: () => void): HttpDeps['restoreLinks'] {
  return {
    read: (token) => readRestoreLink(deps, token),
    trust: (view) => trustOf(deps, view),
    decide: (token, answer) => {
      const decided = decideRestoreLink(deps, token, answer);
      wake();
      return decided;
    },
  };
}

/** Links to restore come by the same address as approvals, signed for a purpose of their own. GET changes nothing. */
export function showRestore({ restoreLinks, clock }: Deps): RequestHandler {
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

export function decideRestore({ restoreLinks, clock }: Deps): RequestHandler {
  return async (request, response, next) => {
    const view = restoreLinks.read(tokenOf(request));
    if (view === null) return next();
    const form = await readForm(request);
    const decision = form.get('decision');
    if (decision !== 'approve' && decision !== 'decline') {
      throw new PilotError('invalid_request', 'The field decision must be approve or decline. Nothing was done.');
    }
    const trust = view.state === 'open' ? await restoreLinks.trust(view) : UNREAD;
    const asked = { decision, name: form.get('name'), seenManifest: form.get('manifest'), trust } as const;
    const decided = restoreLinks.decide(tokenOf(request), asked);
    if (decided === null) return next();
    noteInLog(response, { update: decided.update.id });
    answer({ request, response, decided, trust, now: clock.now() });
  };
}

interface Answer {
  request: Request;
  response: Response;
  decided: RestoreDecision;
  trust: SetTrust;
  now: Date;
}

function answer({ request, response, decided, trust, now }: Answer): void {
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
