import { environmentOf } from '../domain/recreate/environment';
import { askHttp } from './ask-http';
import type { Answer, Probe, ProbeTarget } from './probe';
import { beyondWaiting, healthy, notYet } from './probe';

const PATH = '/api/healthz';
const USUAL_PORT = 3000;
/** Of Gitea's template of the page, in every language. */
const INSTALLATION_PAGE = 'page-content install';

/**
 * Gitea's health route, over plain HTTP. A 200 alone says nothing, nor does `"status": "pass"`: with its configuration lost
 * Gitea says so too, since it then checks nothing, and shows its installation page (Gitea 1.26 and 1.27, measured).
 * So after a pass without a single check the front page is read too.
 */
export function giteaProbe(target: ProbeTarget): Probe {
  const port = portIn(target.container.Config.Env);
  return {
    question: `GET http://:${port}${PATH}, its body`,
    ask: async () => {
      const answer = await askHttp(target, port, PATH);
      if ('failure' in answer) return notYet(answer.failure);
      const judged = judge(answer.status, answer.body);
      if (!judged.healthy || hasChecks(answer.body)) return judged;
      return (await showsInstallation(target, port)) ? LOST : judged;
    },
  };
}

/** The first visitor of that page becomes the administrator: it must not stay open for as long as a migration may take. */
const LOST = beyondWaiting('Gitea shows its installation page: its configuration is lost');

function judge(status: number, body: string): Answer {
  if (status !== 200) return notYet(`${PATH} answers ${status}: ${body.slice(0, 300)}`);
  if (/installation/i.test(body)) return LOST;
  return bodyOf(body).status === 'pass' ? healthy(`${PATH} says pass`) : notYet(`${PATH} says: ${body.slice(0, 300)}`);
}

function hasChecks(body: string): boolean {
  return Object.keys(bodyOf(body).checks ?? {}).length > 0;
}

async function showsInstallation(target: ProbeTarget, port: number): Promise<boolean> {
  const page = await askHttp(target, port, '/');
  return 'body' in page && page.body.includes(INSTALLATION_PAGE);
}

/** As Gitea's own `environment-to-ini` reads it, else as its image fills in the first `app.ini`. */
function portIn(entries: readonly string[] | null | undefined): number {
  const environment = environmentOf(entries);
  const [, written] = [...environment].find(([key]) => key.toUpperCase() === 'GITEA__SERVER__HTTP_PORT') ?? [];
  return Number(written ?? environment.get('HTTP_PORT')) || USUAL_PORT;
}

function bodyOf(body: string): { status?: unknown; checks?: object | null } {
  try {
    return (JSON.parse(body) ?? {}) as { status?: unknown };
  } catch {
    return {};
  }
}
