import type { ContainerInspect, ContainerState } from '../../../src/domain/engine-inspect';
import { lostGuests } from '../../../src/domain/network/shared-network';
import { anInspect } from '../../support/inspect-builder';

const EDGE = 'e'.repeat(64);

function container(name: string, state: Partial<ContainerState>, mode = 'default'): ContainerInspect {
  return anInspect({
    Id: name === 'edge' ? EDGE : 'c'.repeat(64),
    Name: `/${name}`,
    state: { StartedAt: '2026-11-23T10:00:00.5Z', ...state },
    host: { NetworkMode: mode },
  });
}

const edge = (state: Partial<ContainerState> = {}): ContainerInspect => container('edge', state);
const nginx = (state: Partial<ContainerState> = {}): ContainerInspect => container('nginx', state, `container:${EDGE}`);
const OFF = { Running: false, Status: 'exited' } as const;
const NOT_JOINED = { ...OFF, Error: `cannot join network of a non running container: ${EDGE}` };

const LATER = { StartedAt: '2026-11-23T10:00:01Z' };

it.each<[string, ContainerInspect[], string[]]>([
  ['joined after its owner was started', [edge(), nginx(LATER)], []],
  ['runs on from before its owner was started again', [edge(LATER), nginx()], ['left_behind']],
  [
    'runs on from a microsecond before',
    [edge({ StartedAt: '2026-11-23T10:00:00.500002Z' }), nginx({ StartedAt: '2026-11-23T10:00:00.500001Z' })],
    ['left_behind'],
  ],
  ['could not join while its owner was down, which runs now', [edge(), nginx(NOT_JOINED)], ['left_behind']],
  ['could not join, and its owner is still down', [edge(OFF), nginx(NOT_JOINED)], []],
  ['runs while its owner is down', [edge(OFF), nginx()], []],
  ['runs while its owner is starting again and again', [edge({ ...LATER, Restarting: true }), nginx()], []],
  ['was stopped by a person', [edge(LATER), nginx(OFF)], []],
  ['has an owner that is gone', [nginx()], ['orphaned']],
  ['was stopped by a person, and its owner is gone', [nginx(OFF)], []],
  [
    'could not be started, since its owner is gone',
    [nginx({ ...OFF, Error: `No such container: ${EDGE}` })],
    ['orphaned'],
  ],
  ['lives in a network of its own', [edge(LATER), container('nginx', {})], []],
  ['names its owner', [edge(LATER), container('nginx', {}, 'container:edge')], ['left_behind']],
])('a container that %s', (_, all, kinds) => {
  expect(lostGuests(all).map(({ kind }) => kind)).toEqual(kinds);
});
