import type { RequestHandler } from 'express';
import { readViewLink } from '../../decisions/approval-links';
import type { Deps as UseCaseDeps } from '../../deps';
import { PilotError } from '../../domain/errors';
import { isOpen } from '../../domain/update';
import { howItEnded } from '../../updates/reason-of-end';
import { tokenOf } from '../access/known-links';
import { backupOf } from '../api/update-json';
import type { HttpDeps } from '../deps';
import { livePage } from '../pages/live-page';
import { viewEndedPage } from '../pages/message-page';
import { sendPage } from '../pages/send-page';
import { wantsPage } from '../request/negotiate';
import { noteInLog } from '../telemetry/access-log';

type Deps = Pick<HttpDeps, 'viewLinks' | 'clock' | 'store'>;

export function viewLinks(deps: UseCaseDeps): HttpDeps['viewLinks'] {
  return { read: (token) => readViewLink(deps, token) };
}

/** The address at the foot of an update's mails: its live page, which decides nothing. */
export function showUpdate({ viewLinks, clock, store }: Deps): RequestHandler {
  return (request, response, next) => {
    const link = viewLinks.read(tokenOf(request));
    if (link === null) return next();
    const { update, expired } = link;
    noteInLog(response, { update: update.id });
    if (expired) {
      if (!wantsPage(request, response)) throw viewEnded();
      return sendPage(response, 410, viewEndedPage());
    }
    const seen = { update, backup: backupOf(store, update), ...howItEnded(store, update) };
    const html = livePage({ ...seen, now: clock.now(), operator: update.status === 'awaiting_approval' });
    sendPage(response, 200, html, { live: isOpen(update.status) });
  };
}

export function viewEnded(): PilotError {
  const why = 'expired';
  return new PilotError(
    'link_closed',
    'This link has expired: the history of the operator page still has the update.',
    { details: { why } },
  );
}
