import type { RequestHandler } from 'express';
import { findUpdate } from '../../decisions/approve';
import { PilotError } from '../../domain/errors';
import type { Update } from '../../domain/update';
import type { FailedLogins } from '../access/failed-logins';
import { formToken } from '../access/form-token';
import { type LinkReaders, onlyKnownLinks, tokenOf, unknownLink } from '../access/known-links';
import { jsonOf } from '../api/update-json';
import type { HttpDeps } from '../deps';
import { homeFor, wantsPage } from '../request/negotiate';
import type { Methods } from '../route';
import type { Streams } from '../streams';
import { noteInLog } from '../telemetry/access-log';
import { sendLivePage, viewEnded } from './links';

/** `/updates/:id`: JSON, or for a browser the page that follows it. */
export function updateMethods(
  { store, clock, formSecret }: Pick<HttpDeps, 'store' | 'clock' | 'formSecret'>,
  guard: RequestHandler,
): Methods {
  const one: RequestHandler = (request, response) => {
    const update = findUpdate(store, String(request.params.id));
    noteInLog(response, { update: update.id });
    if (!wantsPage(request, response)) return void response.vary('Accept').json(jsonOf(store, update));
    const rehearsal = store.rehearsals.of(update.id);
    const again = { formToken: formToken(formSecret, 'rehearse', update.id, clock.now()) };
    sendLivePage(response, { store, clock }, update, { rehearsal, again, operator: true, home: homeFor(request) });
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
  return new PilotError('link_closed', `This link is closed: ${why}. There is no update to follow.`, {
    details: { why },
  });
}

function answerUnknown(): never {
  throw unknownLink();
}
