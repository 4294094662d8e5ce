import { request } from 'node:http';
import { BOUNDS } from '../domain/bounds';
import { httpCommands, STATUS_MARK } from '../domain/health/probe-commands';
import type { ProbeSpec } from '../domain/labels/container-labels';
import type { ExecResult } from '../ports/engine';
import { execInside, lastWords, wasRun } from './exec-probe';
import { type Answer, healthy, notYet, type ProbeTarget } from './probe';
import { accepts, judgeTcp } from './tcp-probe';

const { ms: ANSWER_WITHIN_MS, bytes: BODY_AT_MOST } = BOUNDS.probeAnswer;

const NOT_REACHABLE = 'not reachable over a shared network, and there is neither curl nor wget inside';

export type HttpAnswer = { status: number; body: string } | { failure: string };

/**
 * Asks over a network that this process shares with the container; where there is none, inside the container with its
 * own curl or wget. The failure reports both.
 */
export async function askHttp(target: ProbeTarget, port: number, path: string): Promise<HttpAnswer> {
  const failures: string[] = [];
  for (const address of target.addresses) {
    const answer = await get(address, port, path);
    if ('status' in answer) return answer;
    failures.push(answer.failure);
  }
  const inside = await getInside(target, port, path);
  return 'status' in inside ? inside : { failure: [...failures, inside.failure].join('; ') };
}

function get(address: string, port: number, path: string): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const asked = request({ host: address, port, path, timeout: ANSWER_WITHIN_MS, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (body.length < BODY_AT_MOST) body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', (error) => resolve({ failure: `port ${port}: ${error.message}` }));
    });
    const deadline = setTimeout(() => asked.destroy(new Error('no answer within 5 s')), ANSWER_WITHIN_MS);
    asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')));
    asked.on('error', (error) => resolve({ failure: `port ${port}: ${error.message}` }));
    asked.on('close', () => clearTimeout(deadline));
    asked.end();
  });
}

async function getInside(target: ProbeTarget, port: number, path: string): Promise<HttpAnswer> {
  const commands = httpCommands(port, path);
  const curl = await execInside(target, commands.curl);
  if (wasRun(curl)) return readCurl(curl);
  const wget = await execInside(target, commands.wget);
  if (!wasRun(wget)) return { failure: NOT_REACHABLE };
  return wget.exitCode === 0 ? { status: 200, body: wget.stdout } : { failure: `inside: wget: ${lastWords(wget)}` };
}

function readCurl(result: ExecResult): HttpAnswer {
  const at = result.stdout.lastIndexOf(STATUS_MARK);
  const status = Number(result.stdout.slice(at + STATUS_MARK.length));
  if (result.exitCode !== 0 || at < 0 || !(status >= 100)) {
    return { failure: `inside: curl exits ${result.exitCode}: ${lastWords(result)}` };
  }
  return { status, body: result.stdout.slice(0, at).trimEnd() };
}

/** One question over the network, without a container to look into. */
export async function askAddress(
  probe: Extract<ProbeSpec, { kind: 'http' | 'tcp' }>,
  host: string,
  port: number,
): Promise<Answer> {
  if (probe.kind === 'tcp') return judgeTcp(port, await accepts(host, port));
  return judgeHttp(port, probe.path, await get(host, port, probe.path));
}

/** Any answer below 400 counts as healthy; redirects are not followed. */
export function judgeHttp(port: number, path: string, answer: HttpAnswer): Answer {
  if ('failure' in answer) return notYet(answer.failure);
  const detail = `GET :${port}${path} answers ${answer.status}`;
  return answer.status < 400 ? healthy(detail) : notYet(detail);
}
