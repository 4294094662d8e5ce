import type { ContainerInspect } from '../../../src/domain/engine-inspect';
import { dockerState } from '../../../src/probes/docker-state';
import { anInspect } from '../../support/inspect-builder';

const NOW = new Date('2026-11-23T12:00:00Z');
const rules = { stayMs: 10_000, toleratedRestarts: 0, healthcheckMayRecover: false, now: NOW };

function container(state: Partial<ContainerInspect['State']>, restarts = 0): ContainerInspect {
  return anInspect({ RestartCount: restarts, state: { StartedAt: '2026-11-23T11:59:00Z', ...state } });
}

describe('what Docker says of a container', () => {
  it.each([
    ['fine when it has run for a while without a restart', container({}), 'fine'],
    ['waiting while it has only just started', container({ StartedAt: '2026-11-23T11:59:55Z' }), 'waiting'],
    ['broken once it has restarted by itself', container({}, 1), 'broken'],
    ['waiting between its first exit and its restart', container({ Status: 'restarting', ExitCode: 1 }), 'waiting'],
    ['broken when it exited', container({ Status: 'exited', Running: false, ExitCode: 3 }), 'broken'],
    ['broken when it never started', container({ Status: 'created', Running: false, Error: 'no such file' }), 'broken'],
    ['paused while another process has paused it', container({ Status: 'paused' }), 'paused'],
    [
      'fine when its HEALTHCHECK passes, however young it is',
      container({ StartedAt: '2026-11-23T11:59:59Z', Health: { Status: 'healthy' } }),
      'fine',
    ],
    [
      'waiting while its HEALTHCHECK is starting, however old it is',
      container({ Health: { Status: 'starting' } }),
      'waiting',
    ],
    [
      'broken when its HEALTHCHECK failed',
      container({ Health: { Status: 'unhealthy', Log: [{ ExitCode: 1, Output: 'refused' }] } }),
      'broken',
    ],
    ['fine without a HEALTHCHECK that was switched off', container({ Health: { Status: 'none' } }), 'fine'],
  ] as const)('is %s', (_, inspected, expected) => {
    expect(dockerState(inspected, rules).state).toBe(expected);
  });

  const exited = { Status: 'exited', Running: false, ExitCode: 0 } as const;
  it.each([
    ['stopped', 'unless-stopped', exited],
    ['stopped', 'always', { ...exited, ExitCode: 137 }],
    ['broken', 'no', exited],
    ['broken', 'on-failure', { ...exited, ExitCode: 1 }],
    ['broken', 'always', { ...exited, Error: 'no such file' }],
    ['broken', 'always', { ...exited, OOMKilled: true }],
    ['broken', 'always', { ...exited, Status: 'created' }],
  ] as const)('is %s when it does not run with the policy %s, and %j', (expected, Name, state) => {
    const inspected = anInspect({ state, host: { RestartPolicy: { Name } } });
    expect(dockerState(inspected, rules).state).toBe(expected);
  });

  it('tells the last words of a failed HEALTHCHECK, and the exit code', () => {
    const failed = container({
      Health: { Status: 'unhealthy', Log: [{ ExitCode: 1, Output: 'connection refused\n' }] },
    });
    expect(dockerState(failed, rules).detail).toBe('its HEALTHCHECK fails: connection refused');
    expect(
      dockerState(container({ Status: 'exited', Running: false, ExitCode: 137, OOMKilled: true }), rules).detail,
    ).toBe('it was killed because it ran out of memory');
    expect(dockerState(container({ Status: 'exited', Running: false, ExitCode: 3 }), rules).detail).toBe(
      'it exited with code 3',
    );
  });

  it('waits for a failed HEALTHCHECK where that may recover, and not for one that exited', () => {
    const patient = { ...rules, healthcheckMayRecover: true };
    const failed = container({ Health: { Status: 'unhealthy' } });
    expect(dockerState(failed, patient)).toEqual({ state: 'waiting', detail: 'its HEALTHCHECK fails' });
    expect(dockerState(container({ Status: 'exited', Running: false }), patient).state).toBe('broken');
  });

  it('forgives as many restarts as it is told to', () => {
    expect(dockerState(container({}, 1), { ...rules, toleratedRestarts: 1 }).state).toBe('fine');
    expect(dockerState(container({}, 2), { ...rules, toleratedRestarts: 1 }).state).toBe('broken');
  });
});
