import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that speaks as much of the Engine API as a test scripts, to be broken in ways that a real engine rarely is. */
export interface EngineServer {
  address: string;
  /** Requests so far, such as `GET /v1.45/containers/json?all=true`. */
  requests: string[];
  /** What is answered to a path (without version and query), and instead of an answer: a raw connection. */
  answers: Map<string, Answer>;
  upgrades: Map<string, (connection: Socket) => void>;
  apiVersion: string;
  /** What is answered to `/_ping` instead of OK. */
  ping: Answer | null;
  /** More headers of `/_ping`, by which Podman says what it is. */
  pingHeaders: Record<string, string>;
  close(): Promise<void>;
}

export async function startEngineServer(port = 0): Promise<EngineServer> {
  const connections = new Set<Socket>();
  const server = createServer((request, response) => {
    self.requests.push(`${request.method} ${request.url}`);
    if (request.url === '/_ping' && self.ping !== null) return self.ping(request, response);
    if (request.url === '/_ping')
      return void response.writeHead(200, { 'Api-Version': self.apiVersion, ...self.pingHeaders }).end('OK');
    const answer = self.answers.get(pathOf(request));
    if (answer) return answer(request, response);
    json(response, { message: 'page not found' }, 404);
  });
  const self: EngineServer = {
    address: '',
    requests: [],
    answers: new Map(),
    upgrades: new Map(),
    apiVersion: '1.45',
    ping: null,
    pingHeaders: {},
    close: async () => {
      for (const connection of connections) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('connection', (connection: Socket) => {
    connections.add(connection);
    connection.on('error', () => undefined).on('close', () => connections.delete(connection));
  });
  server.on('upgrade', (request, connection: Socket) => {
    connection.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    self.upgrades.get(pathOf(request))?.(connection);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  self.address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return self;
}

export function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

/** One frame of the engine's multiplexed stream; `claimed` lies about its length. */
export function frame(stream: 1 | 2, content: string | Buffer, claimed?: number): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(claimed ?? Buffer.byteLength(content), 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').replace(/^\/v1\.\d+/, '').replace(/\?.*$/, '');
}
