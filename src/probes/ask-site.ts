import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { ProxiedSite } from '../domain/nginx/nginx-sites';
import type { ExecResult } from '../ports/engine';
import { execInside, lastWords, wasRun } from './exec-probe';
import type { ProbeTarget } from './probe';

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
