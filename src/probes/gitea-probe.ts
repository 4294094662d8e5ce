import { GITEA_HEALTH, giteaPort } from '../domain/health/probe-commands';
import { askHttp } from './ask-http';
import { type Answer, beyondWaiting, healthy, notYet, type Probe, type ProbeTarget } from './probe';

/** Of Gitea's template of the page, in every language. */
const INSTALLATION_PAGE = 'page-content install';

/**
 * Gitea's health route, over plain HTTP. A 200 alone says nothing, nor does `"status": "pass"`: with its configuration lost
 * Gitea says so too, since it then checks nothing, and shows its installation page (Gitea 1.26 and 1.27, measured).
 * So after a pass without a single check the front page is read too.
 */
export function giteaProbe(target: ProbeTarget): Probe {
  const port = giteaPort(target.container.Config.Env);
  return {
    question: `GET http://:${port}${GITEA_HEALTH}, its body`,
    ask: async () => {
      const answer = await askHttp(target, port, GITEA_HEALTH);
      if ('failure' in answer) return notYet(answer.failure);
      const judged = judgeHealth(answer.status, answer.body);
      if (!judged.healthy || hasChecks(answer.body)) return judged;
      return (await showsInstallation(target, port)) ? LOST : judged;
    },
  };
}

/** The first visitor of that page becomes the administrator: it must not stay open for as long as a migration may take. */
const LOST = beyondWaiting('Gitea shows its installation page: its configuration is lost');

function judgeHealth(status: number, body: string): Answer {
  if (status !== 200) return notYet(`${GITEA_HEALTH} answers ${status}: ${body.slice(0, 300)}`);
  if (/installation/i.test(body)) return LOST;
  return bodyOf(body).status === 'pass'
    ? healthy(`${GITEA_HEALTH} says pass`)
    : notYet(`${GITEA_HEALTH} says: ${body.slice(0, 300)}`);
}

function hasChecks(body: string): boolean {
  return Object.keys(bodyOf(body).checks ?? {}).length > 0;
}

async function showsInstallation(target: ProbeTarget, port: number): Promise<boolean> {
  const page = await askHttp(target, port, '/');
  return 'body' in page && page.body.includes(INSTALLATION_PAGE);
}

function bodyOf(body: string): { status?: unknown; checks?: object | null } {
  try {
    return (JSON.parse(body) ?? {}) as { status?: unknown };
  } catch {
    return {};
  }
}
