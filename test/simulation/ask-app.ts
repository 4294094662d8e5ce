import type { Express } from 'express';
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export interface Answered {
  status: number;
  body: string;
}

/** GET of the real HTTP app, in this process and without a connection. */
export function askApp(app: Express, url: string, headers: Record<string, string>): Promise<Answered> {
  const sent: Buffer[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      sent.push(Buffer.from(chunk));
      done();
    },
  });
  Object.assign(socket, { remoteAddress: '127.0.0.1' });
  const request = new IncomingMessage(socket as Socket);
  Object.assign(request, { method: 'GET', url, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 });
  request.headers = { host: 'pilot.example', ...headers };
  request.push(null);
  const response = new ServerResponse(request);
  response.assignSocket(socket as Socket);
  return new Promise((resolve) => {
    response.once('finish', () => {
      const [, ...body] = Buffer.concat(sent).toString().split('\r\n\r\n');
      resolve({ status: response.statusCode, body: body.join('\r\n\r\n') });
    });
    app(request, response);
  });
}
