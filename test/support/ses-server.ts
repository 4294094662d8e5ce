import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import startEmulator from 'aws-ses-v2-local';

export interface ReceivedSes {
  from: string;
  destination: { to: string[] };
  subject: string;
  body: { html?: string; text?: string };
  headers?: { name: string; value: string }[];
}

export interface TestSesServer {
  endpoint: string;
  received(): Promise<ReceivedSes[]>;
  stop(): Promise<void>;
}

/** SES v2 by npm aws-ses-v2-local, over the wire. Its store is one for the whole process: emptied here. */
export async function startSesEmulator(): Promise<TestSesServer> {
  const server = await startEmulator({ host: '127.0.0.1', port: 0 });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await fetch(`${endpoint}/clear-store`, { method: 'POST' });
  return {
    endpoint,
    received: async () => {
      const answer = await fetch(`${endpoint}/store`);
      return ((await answer.json()) as { emails: ReceivedSes[] }).emails;
    },
    stop: () => close(server),
  };
}

export interface FaultySes {
  endpoint: string;
  requests: number;
  stop(): Promise<void>;
}

/** Answers every request as the test says. */
export async function startFaultySes(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<FaultySes> {
  const server = createServer((request, response) => {
    faulty.requests += 1;
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const faulty: FaultySes = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 0,
    stop: () => close(server),
  };
  return faulty;
}

/** An error in the shape of SES v2 (REST JSON). */
export function sesError(status: number, type: string, message: string) {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type });
    response.end(JSON.stringify({ message }));
  };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
