import type { ProbeSpec } from '../domain/labels/container-labels';
import { askHttp, judgeHttp } from './ask-http';
import { execProbe } from './exec-probe';
import { giteaProbe } from './gitea-probe';
import { nginxProbe } from './nginx-probe';
import { postgresProbe } from './postgres-probe';
import { healthy, type Probe, type ProbeTarget } from './probe';
import { tcpProbe } from './tcp-probe';

export function probeFor(spec: ProbeSpec, target: ProbeTarget): Probe {
  switch (spec.kind) {
    case 'docker':
      return { question: "Docker's own state", ask: () => Promise.resolve(healthy('as Docker says')) };
    case 'nginx':
      return nginxProbe(target);
    case 'postgres':
      return postgresProbe(target);
    case 'gitea':
      return giteaProbe(target);
    case 'http':
      return httpProbe(target, spec.port, spec.path);
    case 'tcp':
      return tcpProbe(target, spec.port);
    case 'exec':
      return execProbe(target, spec.command);
  }
}

function httpProbe(target: ProbeTarget, port: number, path: string): Probe {
  return {
    question: `GET http://:${port}${path}`,
    ask: async () => judgeHttp(port, path, await askHttp(target, port, path)),
  };
}
