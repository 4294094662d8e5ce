import type { Express } from 'express';
import type { EventEmitter } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PilotError, type ErrorCode } from '../domain/errors';

const CLOSING = 'diun-pilot closing';

/** Calls `work` when the server starts to close, for work that would never end on its own. */
export function onClosing(app: Express, work: () => void): void {
  (app as EventEmitter).once(CLOSING, work);
}

export interface Listening {
  port: number;
  /** Takes no new connection, lets running requests end, and after `timeoutMs` cuts what is left. */
  close(timeoutMs: number): Promise<void>;
}

export interface ListenOptions {
  host: string;
  /** 0: a free one. */
  port: number;
}

const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2_000 };

/** Rejects with `invalid_settings` when the address cannot be taken. */
export async function listen(app: Express, { host, port }: ListenOptions): Promise<Listening> {
  const server = createServer({ ...TIMEOUTS, requireHostHeader: false });
  server.on('request', app);
  // A server may go on as if nothing was expected of it (RFC 9110, 10.1.1); Node's own refusal says no word.
  server.on('checkExpectation', app);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerUnreadable(error, socket));
  server.on('connect', (_request, socket: Socket) => {
    answerRaw(socket, '405 Method Not Allowed', 'method_not_allowed', 'diun-pilot is not a proxy.');
  });
  await bound(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: (timeoutMs) => {
      (app as EventEmitter).emit(CLOSING);
      return close(server, timeoutMs);
    },
  };
}

function bound(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): PilotError {
  const why: Record<string, string> = {
    EADDRINUSE: `port ${port} is in use by another process: stop it, or set PILOT_PORT to a free one`,
    EACCES: `port ${port} needs more rights than this user has: set PILOT_PORT to one above 1023`,
    EADDRNOTAVAIL: `${host} is not a local address: set PILOT_HOST to 0.0.0.0 or to an address of this machine`,
    ENOTFOUND: `${host} is not a local address: set PILOT_HOST to 0.0.0.0 or to an address of this machine`,
  };
  const reason = why[error.code ?? ''] ?? `the system answered ${error.code ?? error.message}`;
  return new PilotError('invalid_settings', `diun-pilot cannot listen on ${host}:${port}: ${reason}.`, {
    cause: error,
  });
}

function close(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
    // A connection that is kept alive becomes idle when its answer is out.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** What Node's parser could not make a request of. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return answerRaw(socket, '431 Request Header Fields Too Large', 'invalid_request', 'The headers are too large.');
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return answerRaw(socket, '408 Request Timeout', 'invalid_request', 'The request took too long to arrive.');
  }
  answerRaw(socket, '400 Bad Request', 'invalid_request', 'This is not HTTP.');
}

function answerRaw(socket: Socket, status: string, code: ErrorCode, message: string): void {
  const body = JSON.stringify({ error: { code, message } });
  const head = [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
