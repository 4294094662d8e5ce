import express from 'express';
import helmet from 'helmet';
import { PilotError } from '../domain/errors';
import { accessLog } from './telemetry/access-log';
import { createTrustedProxies, noteAddress, notePerson } from './access/client-address';
import { createFailedLogins, createLoginCount, type FailedLogins, type LoginCount } from './access/failed-logins';
import { requireApiToken, requirePassword, requireWebhookToken } from './access/guards';
import { openApiDocument } from './api/openapi';
import type { HttpDeps } from './deps';
import { answerErrors, nothingHere } from './errors';
import { createHealth, type AskHealth } from './health/health';
import { onClosing } from './listen';
import { createMetrics, type Metrics } from './telemetry/metrics';
import { ACTIONS } from './pages/operator/action-form';
import { route } from './route';
import { actionMethods } from './routes/actions';
import { approvalMethods } from './routes/approvals';
import { auditMethods, backupsMethods, rehearsalMethods, renewalsMethods, updatesMethods } from './routes/api';
import { approvalEventsMethods, updateEventsMethods, updateMethods } from './routes/live';
import { operatorMethods } from './routes/operator';
import { onlyPost, webhookMethods } from './routes/webhook';
import { createStreams } from './streams';

export type { HttpDeps, HealthSources } from './deps';
/** The command line prints an update as the API answers it. */
export { soakOf, updateJson } from './api/update-json';

/** Everything that the outside can ask over HTTP (docs/api.md). */
export function createHttpApp(deps: HttpDeps): express.Express {
  const metrics = createMetrics(deps);
  const logins = createLoginCount({ audit: deps.store.audit, clock: deps.clock });
  const failed = createFailedLogins(logins);
  const askHealth = createHealth(deps);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Set before the first route: one spelling of an address leads somewhere, so that a proxy's rules hold for it.
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(accessLog(deps.logger, metrics));
  app.use(securityHeaders(deps.publicUrl));
  const proxies = createTrustedProxies(deps.trustedProxies, deps);
  app.use(noteAddress(proxies));
  app.use(needsHost);

  route(app, '/webhooks/diun', webhookMethods(deps, metrics, requireWebhookToken(deps, failed)), onlyPost(metrics));
  const apiToken = requireApiToken(deps, failed);
  watchers(app, deps, { metrics, askHealth, apiToken });
  app.use(notePerson(proxies));
  programs(app, deps, { logins, apiToken });
  persons(app, deps, { askHealth, failed, logins });
  onClosing(app, () => logins.flush());

  app.use(nothingHere);
  app.use(answerErrors(deps));
  return app;
}

interface Parts {
  askHealth: AskHealth;
  logins: LoginCount;
  apiToken: express.RequestHandler;
}

/** What monitoring asks for: it decides nothing. */
function watchers(
  app: express.Express,
  deps: HttpDeps,
  { metrics, askHealth, apiToken }: Pick<Parts, 'askHealth' | 'apiToken'> & { metrics: Metrics },
): void {
  route(app, '/health', {
    get: [
      async (_request, response) => {
        const report = await askHealth();
        response.status(report.status === 'down' ? 503 : 200).json(report);
      },
    ],
  });
  route(app, '/metrics', {
    get: [
      apiToken,
      async (_request, response) =>
        void response.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
    ],
  });
  // Made at the first request: it takes longer than all the rest of the app, and most processes are never asked.
  let openApi: ReturnType<typeof openApiDocument> | undefined;
  route(app, '/openapi.json', {
    get: [(_request, response) => void response.json((openApi ??= openApiDocument(deps.version, deps.publicUrl)))],
  });
}

/** The API. */
function programs(
  app: express.Express,
  deps: HttpDeps,
  { logins, apiToken }: Pick<Parts, 'logins' | 'apiToken'>,
): void {
  route(app, '/updates', updatesMethods(deps, apiToken));
  route(app, '/updates/:id/rehearsal', rehearsalMethods(deps, apiToken));
  route(app, '/backups', backupsMethods(deps, apiToken));
  route(app, '/renewals', renewalsMethods(deps, apiToken));
  route(app, '/audit', auditMethods(deps, logins, apiToken));
}

/** What is read by persons; an update also by programs. */
function persons(
  app: express.Express,
  deps: HttpDeps,
  { askHealth, failed, logins }: Omit<Parts, 'apiToken'> & { failed: FailedLogins },
): void {
  const password = requirePassword(deps, failed);
  const streams = createStreams(deps);
  onClosing(app, () => streams.close());
  route(app, '/', operatorMethods(deps, askHealth, password));
  for (const action of ACTIONS) route(app, `/actions/${action}`, actionMethods(deps, action, password));
  route(app, '/updates/:id', updateMethods(deps, password));
  route(app, '/updates/:id/events', updateEventsMethods(deps, streams, password));
  const wrongLinks = createFailedLogins(logins);
  route(app, '/approvals/:token', approvalMethods(deps, wrongLinks));
  route(app, '/approvals/:token/events', approvalEventsMethods(deps, wrongLinks, streams));
}

/** Node's own refusal (RFC 9112, 3.2) says no word. */
const needsHost: express.RequestHandler = ({ httpVersion, headers }, _response, next) => {
  const missing = httpVersion === '1.1' && headers.host === undefined;
  next(missing ? new PilotError('invalid_request', 'The request has no Host header.') : undefined);
};

/** JSON needs nothing from a browser: everything is forbidden, and nothing is kept. */
function securityHeaders(publicUrl: string): express.RequestHandler[] {
  return [
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'none'"],
          'frame-ancestors': ["'none'"],
          'base-uri': ["'none'"],
          'form-action': ["'none'"],
        },
      },
      strictTransportSecurity: publicUrl.startsWith('https:') ? { includeSubDomains: false } : false,
    }),
    (_request, response, next) => {
      response.set('Cache-Control', 'no-store');
      next();
    },
  ];
}
