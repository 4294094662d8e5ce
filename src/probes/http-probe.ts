import type { Probe, ProbeTarget } from './probe';
import { healthy, notYet } from './probe';
import { askHttp } from './ask-http';

/** Any answer below 400 counts as healthy; redirects are not followed. */
export function httpProbe(target: ProbeTarget, port: number, path: string): Probe {
  return {
    question: `GET http://:${port}${path}`,
    ask: async () => {
      const answer = await askHttp(target, port, path);
      if ('failure' in answer) return notYet(answer.failure);
      return answer.status < 400
        ? healthy(`GET :${port}${path} answers ${answer.status}`)
        : notYet(`GET :${port}${path} answers ${answer.status}`);
    },
  };
}
