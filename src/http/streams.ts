import type { Request, Response } from 'express';
import { messageOf, PilotError } from '../domain/errors';
import { isOpen } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { UpdateJson } from './api/schemas';

/** All together: each asks the database twice a second. */
const MOST_STREAMS = 100;
const LOOK_EVERY_MS = 500;
const HEARTBEAT_MS = 15_000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 2_000;
const RETRY_AFTER_THE_END_MS = 60_000;

export interface Streams {
  /** Follows an update until its end as server-sent events; resolves when the stream is over. `look` reads it anew. */
  follow(request: Request, response: Response, look: () => UpdateJson): Promise<void>;
  /** Ends all of them, so that the server can close. */
  close(): void;
}

interface Parts {
  clock: Clock;
  logger: Logger;
}

/** Each event is the whole update, so that whoever comes back with Last-Event-ID has missed nothing with the first one. */
export function createStreams(parts: Parts): Streams {
  const open = new Set<AbortController>();
  let closed = false;
  return {
    follow: async (request, response, look) => {
      if (request.method === 'HEAD') return answerHead(response, look);
      if (closed) throw new PilotError('service_stopping', 'diun-pilot is stopping: connect again in a few seconds.');
      if (open.size >= MOST_STREAMS) throw tooMany();
      const ended = new AbortController();
      open.add(ended);
      response.once('close', () => ended.abort(new Error('the reader has gone')));
      try {
        await stream({ ...parts, request, response, look, signal: ended.signal });
      } finally {
        open.delete(ended);
        response.end();
      }
    },
    close: () => {
      closed = true;
      for (const controller of open) controller.abort(new Error('diun-pilot is stopping'));
    },
  };
}

/** The headers only, and only of what is there. */
function answerHead(response: Response, look: () => UpdateJson): void {
  look();
  setHeaders(response);
  response.end();
}

interface Stream extends Parts {
  request: Request;
  response: Response;
  look: () => UpdateJson;
  signal: AbortSignal;
}

async function stream({ clock, logger, request, response, look, signal }: Stream): Promise<void> {
  let id = lastEventId(request);
  let sent = '';
  let wroteAt = clock.now().getTime();
  const write = (text: string): void => {
    response.write(text);
    wroteAt = clock.now().getTime();
  };
  try {
    let update = look();
    setHeaders(response);
    write(`retry: ${RETRY_MS}\n\n`);
    while (!signal.aborted) {
      const data = JSON.stringify(update);
      // Who reads slowly gets the state as it is once he has read on, and not all that was between.
      if (data !== sent && !response.writableNeedDrain) {
        id = Math.max(id + 1, clock.now().getTime());
        write(`id: ${id}\nevent: update\ndata: ${data}\n\n`);
        sent = data;
      }
      if (data === sent && !isOpen(update.status)) return void write(`retry: ${RETRY_AFTER_THE_END_MS}\n\n`);
      if (clock.now().getTime() - wroteAt >= HEARTBEAT_MS && !response.writableNeedDrain) write(': still here\n\n');
      await clock.sleep(LOOK_EVERY_MS, signal);
      update = look();
    }
  } catch (error) {
    if (signal.aborted) return;
    if (!response.headersSent) throw error;
    logger.warn('a stream of events ended early', { error: messageOf(error) });
  }
}

/** No proxy may hold events back (`X-Accel-Buffering`: nginx). */
function setHeaders(response: Response): void {
  response
    .status(200)
    .set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no', 'X-Robots-Tag': 'noindex' });
  response.flushHeaders();
}

/** Ids go on growing over reconnects, also when our clock was put back. */
function lastEventId(request: Request): number {
  const text = request.get('Last-Event-ID') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

function tooMany(): PilotError {
  return new PilotError(
    'too_many_requests',
    `${MOST_STREAMS} pages follow an update at the same time already: close one, or load the page anew for its state.`,
  );
}
