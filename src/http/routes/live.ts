import type { RequestHandler } from 'express';
import { isOpen } from '../../domain/update';
import { howItEnded } from '../../updates/how-it-ended';
import { formToken } from '../access/form-token';
import { noteInLog } from '../telemetry/access-log';
import { backupOf, findUpdate, jsonOf } from '../api/update-json';
import type { HttpDeps } from '../deps';
import { leadsHome, wantsPage } from '../request/negotiate';
import { livePage } from '../pages/live-page';
import { sendPage } from '../pages/send-page';
import type { Methods } from '../route';

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
    const html = livePage({ ...seen, rehearsal, again, now, operator: true, leadsHome: leadsHome(request) });
    sendPage(response, 200, html, { live: isOpen(update.status) });
  };
  return { get: [guard, one] };
}
