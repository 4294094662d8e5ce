import type { RequestHandler } from 'express';
import { findUpdate } from '../../decisions/approve';
import { PilotError } from '../../domain/errors';
import { isOpen, type Update } from '../../domain/update';
import { howItEnded } from '../../updates/reason-of-end';
import type { FailedLogins } from '../access/failed-logins';
import { formToken } from '../access/form-token';
import { type LinkReaders, onlyKnownLinks, tokenOf, unknownLink } from '../access/known-links';
import { backupOf, jsonOf } from '../api/update-json';
import type { HttpDeps } from '../deps';
import { livePage } from '../pages/live-page';
import { sendPage } from '../pages/send-page';
import { homeFor, wantsPage } from '../request/negotiate';
import type { Methods } from '../route';
import type { Streams } from '../streams';
import { noteInLog } from '../telemetry/access-log';
import { viewEnded } from './links';

/** `/updates/:id`: JSON, or for a browser the page that follows it. */
export function updateMethods(
  { store, clock, formSecret }: Pick<HttpDeps, 'store' | 'clock' | 'formSecret'>,
  guard: RequestHandler,
): Methods {
  const one: RequestHandler = (request, response) => {
    const update = findUpdate(store, String(request.params.id));
    noteInLog(response, { update: update.id });
    if (!wantsPage(request, response)) return void response.vary('Accept').json(jsonOf(store, update));
    const seen = { update, backup: backupOf(store, update), ...howItEnded(store, update) };
    const now = clock.now();
    const rehearsal = store.rehearsals.of(update.id);
    const again = { formToken: formToken(formSecret, 'rehearse', update.id, now) };
    const html = livePage({ ...seen, rehearsal, again, now, operator: true, home: homeFor(request) });
    sendPage(response, 200, html, { live: isOpen(update.status) });
  };
  return { get: [guard, one] };
}

type Deps = Pick<HttpDeps, 'store'>;

/** `/updates/:id/events`, for requests with the token. */
export function updateEventsMethods({ store }: Deps, streams: Streams, guard: RequestHandler): Methods {
  const follow: RequestHandler = async (request, response) => {
    const { id } = findUpdate(store, String(request.params.id));
    noteInLog(response, { update: id });
    await streams.follow(request, response, { look: () => jsonOf(store, findUpdate(store, id)) });
  };
  return { get: [guard, follow] };
}

/** `/approvals/:token/events`: the one update that the link is about, as long as the link shows it. */
export function approvalEventsMethods(deps: Deps & LinkReaders, wrong: FailedLogins, streams: Streams): Methods {
  const { store } = deps;
  const follow: RequestHandler = async (request, response) => {
    const token = tokenOf(request);
    const shown = shownBy(deps, token);
    if (shown instanceof PilotError) throw shown;
    const { id } = shown;
    noteInLog(response, { update: id });
    const look = () => (shownBy(deps, token) instanceof PilotError ? null : jsonOf(store, findUpdate(store, id)));
    await streams.follow(request, response, { look, link: token });
  };
  return { get: [onlyKnownLinks(deps, wrong, answerUnknown), follow] };
}

/** The update that a link shows now, or why it shows none. */
function shownBy({ approvals, viewLinks }: LinkReaders, token: string): Update | PilotError {
  const link = viewLinks.read(token);
  if (link !== null) return link.expired ? viewEnded() : link.update;
  const view = approvals.read(token);
  if (view.kind === 'unknown') return unknownLink();
  if (view.kind === 'open' || view.why === 'approved') return view.update;
  const { why } = view;
  return new PilotError('link_closed', `This link is closed: ${why}. It follows no update.`, { details: { why } });
}

function answerUnknown(): never {
  throw unknownLink();
}
