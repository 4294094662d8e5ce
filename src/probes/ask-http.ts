import { request, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { BOUNDS } from '../domain/bounds';
import { httpCommands, STATUS_MARK } from '../domain/health/probe-commands';
import type { ProbeSpec } from '../domain/labels/container-labels';
import type { ExecResult } from '../ports/engine';
import { execInside, lastWords, wasRun } from './exec-probe';
import { type Answer, healthy, notYet, type ProbeTarget } from './probe';
import { accepts, judgeTcp } from './tcp-probe';
import type { ProxiedSite } from '../domain/nginx/nginx-sites';

const { ms: ANSWER_WITHIN_MS, bytes: BODY_AT_MOST } = BOUNDS.probeAnswer;

const NOT_REACHABLE = 'not reachable over a shared network, and there is neither curl nor wget inside';

type HttpAnswer = { status: number; body: string } | { failure: string };

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

const WITHIN_SECONDS = String(ANSWER_WITHIN_MS / 1000);
/** nginx's own answers for a server behind it that it cannot reach, or that does not answer in time. */
const BAD_GATEWAY = 502;
const GATEWAY_TIMEOUT = 504;

export type SiteAnswer = { status: number } | { failure: string };

/** Whether the server behind the nginx answered; what it answered does not matter. */
export function isAnswered(answer: SiteAnswer): boolean {
  return 'status' in answer && answer.status !== BAD_GATEWAY && answer.status !== GATEWAY_TIMEOUT;
}

/** `GET http://site.example:8080/api/`. */
export function siteText({ host, port, tls, path }: ProxiedSite): string {
  const isDefault = port === (tls ? 443 : 80);
  return `GET http${tls ? 's' : ''}://${host ?? ''}${isDefault && host !== null ? '' : `:${port}`}${path}`;
}

/**
 * Requests a site of an nginx as a client would, with its name in `Host` and in the TLS handshake; certificates are not
 * verified. Over a network that this process shares with the container, else inside it with its own curl or wget. Bounded to
 * some seconds; rejects only with `engine_unreachable`.
 */
export async function askSite(target: ProbeTarget, site: ProxiedSite): Promise<SiteAnswer> {
  for (const address of target.addresses) {
    const answer = await getSite(address, site);
    if ('status' in answer) return answer;
  }
  return getSiteInside(target, site);
}

function getSite(address: string, { host, port, tls, path }: ProxiedSite): Promise<SiteAnswer> {
  return new Promise((resolve) => {
    const options = { host: address, port, path, agent: false, headers: { host: host ?? 'localhost' } };
    const asked = tls
      ? tlsRequest({ ...options, rejectUnauthorized: false, ...(host === null ? {} : { servername: host }) })
      : plainRequest(options);
    const deadline = setTimeout(
      () => asked.destroy(new Error(`no answer within ${WITHIN_SECONDS} s`)),
      ANSWER_WITHIN_MS,
    );
    asked.on('response', (response) => {
      resolve({ status: response.statusCode ?? 0 });
      response.destroy();
    });
    asked.on('error', (error) => resolve({ failure: error.message }));
    asked.on('close', () => clearTimeout(deadline));
    asked.end();
  });
}

async function getSiteInside(target: ProbeTarget, site: ProxiedSite): Promise<SiteAnswer> {
  const { host, port, tls, path } = site;
  const scheme = tls ? 'https' : 'http';
  const url = `${scheme}://${host ?? 'localhost'}:${port}${path}`;
  const common = ['-sk', '-m', WITHIN_SECONDS, '-o', '/dev/null', '-w', '%{http_code}'];
  const curl = await execInside(target, ['curl', ...common, '--connect-to', '::127.0.0.1:', url]);
  if (wasRun(curl)) return statusIn(curl, /^(\d{3})$/);
  const named = ['--header', `Host: ${host ?? 'localhost'}`, `${scheme}://127.0.0.1:${port}${path}`];
  const wget = await execInside(target, ['wget', '-S', '-T', WITHIN_SECONDS, '-O', '/dev/null', ...named]);
  if (wasRun(wget)) return statusIn(wget, /HTTP\/\d(?:\.\d)? (\d{3})/);
  return { failure: NOT_REACHABLE };
}

function statusIn(result: ExecResult, pattern: RegExp): SiteAnswer {
  const status = Number(pattern.exec(`${result.stdout}${result.stderr}`.trim())?.[1]);
  return status >= 100 ? { status } : { failure: `exit code ${result.exitCode}: ${lastWords(result)}` };
}
