import type { RequestHandler, Response } from 'express';
import type { Logger } from '../../lib/logger';
import type { Metrics } from './metrics';

interface Locals {
  /** Template of the route, such as `/updates/:id`: never the address itself, which may carry an approval's token. */
  route?: string;
  /** Further fields of the line, such as the update's id. */
  fields?: Record<string, string>;
}

/** One line and one measurement for each answer. No header and no query is ever logged: tokens travel there. */
export function accessLog(logger: Logger, metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const stop = metrics.durations.startTimer();
    response.once('close', () => {
      const { method } = request;
      const route = routeOf(response);
      const seconds = stop({ method, route, status: response.statusCode });
      const line = {
        method,
        route,
        status: response.statusCode,
        ms: Math.round(seconds * 1000),
        ...localsOf(response).fields,
        ...(response.writableFinished ? {} : { aborted: true }),
      };
      if (route === '/health' || route === '/metrics') logger.debug('request', line);
      else logger.info('request', line);
    });
    next();
  };
}

export function routeOf(response: Response): string {
  return localsOf(response).route ?? 'unmatched';
}

export function noteRoute(response: Response, route: string): void {
  localsOf(response).route = route;
}

/** Adds a field to the line of this request. */
export function noteInLog(response: Response, fields: Record<string, string>): void {
  const locals = localsOf(response);
  locals.fields = { ...locals.fields, ...fields };
}

function localsOf(response: Response): Locals {
  return response.locals;
}
