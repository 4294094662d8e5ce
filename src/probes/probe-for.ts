import type { ProbeSpec } from '../domain/container-labels';
import type { ContainerInspect } from '../domain/engine-inspect';
import type { Engine } from '../ports/engine';
import { dockerProbe } from './docker-probe';
import { execProbe } from './exec-probe';
import { giteaProbe } from './gitea-probe';
import { httpProbe } from './http-probe';
import { nginxProbe } from './nginx-probe';
import { postgresProbe } from './postgres-probe';
import type { Probe } from './probe';
import { tcpProbe } from './tcp-probe';

/** What a probe is given: the engine and the container as just inspected (its addresses are those of this start). */
export interface ProbeTarget {
  engine: Engine;
  container: ContainerInspect;
  /** Every address at which this process may reach the container, most likely first. */
  addresses: string[];
}

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
