import type { Request, Response } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { messageOf, PilotError } from '../domain/errors';
import { isOpen } from '../domain/update';
import { isDue, type Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import { addressOfClient } from './access/client-address';
import type { UpdateJson } from './api/schemas';

/** All together: each asks the database twice a second. */
const MOST_STREAMS = 100;
/** Behind links, which admit without a password: so that no link and no address takes the streams of all. */
const MOST_OF_A_LINK = 10;
const MOST_OF_AN_ADDRESS = 20;
const LOOK_EVERY_MS = 500;
const HEARTBEAT_MS = 15_000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 2_000;
const RETRY_AFTER_THE_END_MS = 60_000;

export interface Streams {
  /** Follows an update until its end as server-sent events; resolves when the stream is over. */
  follow(request: Request, response: Response, followed: Followed): Promise<void>;
  /** Ends all of them, so that the server can close. */
  close(): void;
}

export interface Followed {
  /** Reads the update again; null: it may no longer be shown, and the stream ends. */
  look: () => UpdateJson | null;
  /** The token of the link that admits; undefined: the API token does. */
  link?: string;
}

interface Parts {
  clock: Clock;
  logger: Logger;
}

/** Each event is the whole update, so that a client that reconnects with Last-Event-ID has missed nothing after the first. */
export function createStreams(parts: Parts): Streams {
  const open = new Map<AbortController, Follower>();
  let closed = false;
  return {
    follow: async (request, response, { look, link }) => {
      if (request.method === 'HEAD') return answerHead(response, look);
      if (closed) throw new PilotError('service_stopping', 'diun-pilot is stopping: connect again in a few seconds.');
      const address = ipKeyGenerator(addressOfClient(response));
      refuseTooMany([...open.values()], { link, address });
      const ended = new AbortController();
      open.set(ended, { link, address });
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
      for (const controller of open.keys()) controller.abort(new Error('diun-pilot is stopping'));
    },
  };
}

/** The headers only, and only of what is there. */
function answerHead(response: Response, look: Followed['look']): void {
  look();
  setHeaders(response);
  response.end();
}

interface Stream extends Parts {
  request: Request;
  response: Response;
  look: Followed['look'];
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
      if (update === null) return void write(`retry: ${RETRY_AFTER_THE_END_MS}\n\n`);
      const data = JSON.stringify(update);
      // A slow client gets the current state once it has caught up, not every state in between.
      if (data !== sent && !response.writableNeedDrain) {
        id = Math.max(id + 1, clock.now().getTime());
        write(`id: ${id}\nevent: update\ndata: ${data}\n\n`);
        sent = data;
      }
      if (data === sent && !isOpen(update.status)) return void write(`retry: ${RETRY_AFTER_THE_END_MS}\n\n`);
      const silent = isDue(wroteAt + HEARTBEAT_MS, clock.now().getTime(), HEARTBEAT_MS);
      if (silent && !response.writableNeedDrain) write(': still here\n\n');
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

interface Follower {
  link?: string;
  address: string;
}

function refuseTooMany(open: readonly Follower[], { link, address }: Follower): void {
  if (open.length >= MOST_STREAMS) throw tooMany(`${MOST_STREAMS} pages follow an update`);
  if (link === undefined) return;
  const behindLinks = open.filter((each) => each.link !== undefined);
  if (behindLinks.filter((each) => each.link === link).length >= MOST_OF_A_LINK) {
    throw tooMany(`${MOST_OF_A_LINK} pages of this link follow its update`);
  }
  if (behindLinks.filter((each) => each.address === address).length >= MOST_OF_AN_ADDRESS) {
    throw tooMany(`${MOST_OF_AN_ADDRESS} pages of this address follow an update`);
  }
}

function tooMany(which: string): PilotError {
  return new PilotError(
    'too_many_requests',
    `${which} at the same time already: close one, or load the page again for its state.`,
  );
}
