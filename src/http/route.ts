import type { Express, RequestHandler } from 'express';
import { PilotError } from '../domain/errors';
import { noteRoute } from './telemetry/access-log';

export interface Methods {
  get?: RequestHandler[];
  post?: RequestHandler[];
}

/** A route with its methods; any other method is refused with `Allow`, and OPTIONS lists them. */
export function route(app: Express, path: string, methods: Methods, refusal?: RequestHandler): void {
  const allowed = [...(methods.get ? ['GET', 'HEAD'] : []), ...(methods.post ? ['POST'] : [])].join(', ');
  const here = app.route(path);
  here.all((_request, response, next) => {
    noteRoute(response, path);
    next();
  });
  if (methods.get) here.get(...methods.get);
  if (methods.post) here.post(...methods.post);
  here.all((request, response, next) => {
    response.set('Allow', allowed);
    if (refusal) return void refusal(request, response, next);
    if (request.method === 'OPTIONS') return void response.status(204).end();
    next(new PilotError('method_not_allowed', `${request.method} is not allowed here: use ${allowed}.`));
  });
}
