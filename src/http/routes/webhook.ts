import type { RequestHandler } from 'express';
import { receiveWebhook } from '../../decisions/receive-webhook';
import { PilotError } from '../../domain/errors';
import { commitTogether } from '../../lib/commit-together';
import type { Store } from '../../ports/store';
import { noteInLog } from '../telemetry/access-log';
import type { HttpDeps } from '../deps';
import type { Metrics } from '../telemetry/metrics';
import { COMPRESSED, isCompressed, readBytes, utf8 } from '../request/read-body';
import type { Methods } from '../route';

/** Diun logs the body of our answer: this is where an operator first reads what is wrong. */
const DIUN_FIX =
  'Diun must POST: in diun.yml, notif.webhook, set `method: POST` (its default is GET) and `headers: {authorization: "Bearer TOKEN"}` with the token of PILOT_WEBHOOK_TOKEN.';

/** Webhooks that come together share one commit. */
export function receiveTogether(store: Store, wake: () => void): HttpDeps['receiveWebhook'] {
  const together = commitTogether((work) => store.transaction(work));
  return async (rawBody) => {
    const received = await together(() => receiveWebhook(store.inbox, rawBody));
    wake();
    return received;
  };
}

/** Stored durably, then answered; nothing else happens before the answer (docs/api.md). */
export function webhookMethods(deps: HttpDeps, metrics: Metrics, guard: RequestHandler): Methods {
  const receive: RequestHandler = async (request, response) => {
    const bytes = await readBytes(request);
    if (isCompressed(request)) refuseBytes(deps, bytes, COMPRESSED);
    const body = utf8(bytes) ?? refuseBytes(deps, bytes, 'The body is not UTF-8, so it is not JSON.');
    const { id, duplicate } = await deps.receiveWebhook(body);
    noteInLog(response, { webhook: id });
    metrics.webhooks.inc({ outcome: duplicate ? 'duplicate' : 'accepted' });
    response.status(202).json({ webhook: id, duplicate });
  };
  return { post: [countRefusals(metrics), guard, receive] };
}

export function onlyPost(metrics: Metrics): RequestHandler {
  return (_request, _response, next) => {
    metrics.webhooks.inc({ outcome: 'method_not_allowed' });
    next(new PilotError('method_not_allowed', DIUN_FIX));
  };
}

/** Counts what was refused, by its status. */
function countRefusals(metrics: Metrics): RequestHandler {
  return (_request, response, next) => {
    response.once('close', () => {
      if (response.statusCode !== 202) metrics.webhooks.inc({ outcome: refusalOf(response.statusCode) });
    });
    next();
  };
}

function refusalOf(status: number): string {
  const known: Record<number, string> = {
    400: 'rejected',
    401: 'unauthorized',
    413: 'too_large',
    429: 'too_many_requests',
  };
  return known[status] ?? 'failed';
}

/** Kept as far as it can be read, so that the operator sees it. */
function refuseBytes(deps: HttpDeps, bytes: Buffer, reason: string): never {
  deps.store.inbox.reject(bytes.toString('utf8'), reason);
  throw new PilotError('invalid_body', reason, { details: { field: 'body', reason } });
}
