import type { Answer, Probe, ProbeTarget } from './probe';
import { healthy, notYet } from './probe';
import { askHttp } from './ask-http';
import { environmentOf } from '../domain/environment';

const PATH = '/api/healthz';

/**
 * Gitea's health route. A 200 alone says nothing: with its configuration lost Gitea answers 200 with its installation
 * page (facts, Gitea), so the body must say `pass`.
 */
export function giteaProbe(target: ProbeTarget): Probe {
  const port = Number(environmentOf(target.container.Config.Env).get('GITEA__server__HTTP_PORT') ?? 3000);
  return {
    question: `GET http://:${port}${PATH}, its body`,
    ask: async () => {
      const answer = await askHttp(target, port, PATH);
      if ('failure' in answer) return notYet(answer.failure);
      return judge(answer.status, answer.body);
    },
  };
}

function judge(status: number, body: string): Answer {
  if (status !== 200) return notYet(`${PATH} answers ${status}: ${body.slice(0, 300)}`);
  if (/installation/i.test(body)) return notYet('Gitea shows its installation page: its configuration is lost');
  return statusIn(body) === 'pass' ? healthy(`${PATH} says pass`) : notYet(`${PATH} says: ${body.slice(0, 300)}`);
}

function statusIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { status?: unknown }).status;
  } catch {
    return undefined;
  }
}
