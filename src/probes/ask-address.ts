import type { ProbeSpec } from '../domain/labels/container-labels';
import { get } from './ask-http';
import { healthy, notYet, type Answer } from './probe';
import { accepts } from './tcp-probe';

/** One question over the network, without a container to look into. */
export async function askAddress(
  probe: Extract<ProbeSpec, { kind: 'http' | 'tcp' }>,
  host: string,
  port: number,
): Promise<Answer> {
  if (probe.kind === 'tcp')
    return (await accepts(host, port))
      ? healthy(`port ${port} accepts connections`)
      : notYet(`nothing accepts connections on port ${port}`);
  const answer = await get(host, port, probe.path);
  if ('failure' in answer) return notYet(answer.failure);
  const detail = `GET :${port}${probe.path} answers ${answer.status}`;
  return answer.status < 400 ? healthy(detail) : notYet(detail);
}
