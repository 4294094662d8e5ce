import express from 'express';
import helmet from 'helmet';
import { accessLog } from './access-log';
import type { HttpDeps } from './deps';
import { answerErrors, nothingHere } from './errors';
import { createFailedLogins } from './failed-logins';
import { requireApiToken, requireWebhookToken } from './guards';
import { createHealth } from './health';
import { createMetrics } from './metrics';
import { openApiDocument } from './openapi';
import { route } from './route';
import { backupsMethods } from './routes/backups';
import { updateMethods, updatesMethods } from './routes/updates';
import { onlyPost, webhookMethods } from './routes/webhook';

export type { HttpDeps, HealthSources } from './deps';
/** The command line prints an update as the API answers it. */
export { toJson } from './update-json';

/** Everything that the outside can ask over HTTP (contract, section 3). */
export function createHttpApp(deps: HttpDeps): express.Express {
  const metrics = createMetrics(deps.store);
  const failed = createFailedLogins();
  const apiToken = requireApiToken(deps, failed);
  const askHealth = createHealth(deps);
  const openApi = openApiDocument(deps.version, deps.publicUrl);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(accessLog(deps.logger, metrics));
  app.use(securityHeaders(deps.publicUrl));

  route(app, '/webhooks/diun', webhookMethods(deps, metrics, requireWebhookToken(deps, failed)), onlyPost(metrics));
  route(app, '/health', {
    get: [
      async (_request, response) => {
        const report = await askHealth();
        response.status(report.status === 'down' ? 503 : 200).json(report);
      },
    ],
  });
  route(app, '/updates', updatesMethods(deps, apiToken));
  route(app, '/updates/:id', updateMethods(deps, apiToken));
  route(app, '/backups', backupsMethods(deps, apiToken));
  route(app, '/metrics', {
    get: [
      apiToken,
      async (_request, response) =>
        void response.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
    ],
  });
  route(app, '/openapi.json', { get: [(_request, response) => void response.json(openApi)] });

  app.use(nothingHere);
  app.use(answerErrors(deps));
  return app;
}

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
