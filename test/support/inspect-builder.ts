import type { ContainerInspect, ContainerState } from '../../src/domain/engine-inspect';
import { digest } from './container-builder';

/** What a test says of a container; the rest is that of an nginx which runs. */
export interface InspectDiffers extends Partial<Pick<ContainerInspect, 'Id' | 'Name' | 'RestartCount'>> {
  state?: Partial<ContainerState>;
  config?: Partial<ContainerInspect['Config']>;
  host?: Partial<ContainerInspect['HostConfig']>;
}

/** An inspect result as the engine gives it. */
export function anInspect({ state, config, host, ...differs }: InspectDiffers = {}): ContainerInspect {
  return {
    Id: 'f00d'.repeat(16),
    Name: '/web-nginx-1',
    Image: digest('1'),
    Created: '2026-11-23T00:00:00Z',
    RestartCount: 0,
    State: {
      Status: 'running',
      Running: true,
      Restarting: false,
      OOMKilled: false,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-11-23T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
      ...state,
    },
    Config: { Image: 'nginx:1.27', ...config },
    HostConfig: { NetworkMode: 'default', AutoRemove: false, ...host },
    Mounts: [],
    NetworkSettings: { Networks: {} },
    ...differs,
  };
}
