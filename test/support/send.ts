import { request, type Agent, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

export interface Sent {
  method: string;
  url: string;
  /** Pairs, in the order of sending. */
  headers?: [string, string][];
  body?: string | Buffer;
  agent?: Agent;
}

/** What the tests read of the JSON that comes back. */
export interface AnswerBody {
  webhook: string;
  duplicate: boolean;
  error: { code: string; message: string; details: { requestId: string } };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json(): AnswerBody;
}

/** Sends a request over a real socket, as it is. */
export function send(port: number, { method, url, headers = [], body, agent }: Sent): Promise<Answer> {
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host');
  const pairs: [string, string][] = hasHost ? headers : [['Host', `127.0.0.1:${port}`], ...headers];
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path: url, headers: pairs.flat(), agent: agent ?? false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: () => JSON.parse(text) as AnswerBody,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes that need not be HTTP, and resolves with all that comes back until the other side closes. */
export function sendBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (answer += text));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}
