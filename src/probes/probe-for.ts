import type { ProbeSpec } from '../domain/labels/container-labels';
import { dockerProbe } from './docker-probe';
import { execProbe } from './exec-probe';
import { giteaProbe } from './gitea-probe';
import { httpProbe } from './http-probe';
import { nginxProbe } from './nginx-probe';
import { postgresProbe } from './postgres-probe';
import type { Probe, ProbeTarget } from './probe';
import { tcpProbe } from './tcp-probe';

export function probeFor(spec: ProbeSpec, target: ProbeTarget): Probe {
  switch (spec.kind) {
    case 'docker':
      return dockerProbe();
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
