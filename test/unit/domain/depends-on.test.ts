import type { Container } from '../../../src/domain/container';
import { readDependsOn, readRestartsWith, restartedWith } from '../../../src/domain/compose/depends-on';
import { aContainer } from '../../support/container-builder';

test.each([
  ['db:service_healthy:true,cache:service_started:false', ['db', 'cache'], ['db']],
  ['db:service_healthy', ['db'], []],
  ['db', ['db'], []],
  [' db : service_started : true ', ['db'], ['db']],
  ['', [], []],
  [undefined, [], []],
])('the label %s names %j, and restarts with %j', (label, services, restarts) => {
  expect([readDependsOn(label), readRestartsWith(label)]).toEqual([services, restarts]);
});

function service(name: string, restartsWith: string[], fields: Partial<Container> = {}): Container {
  const { labels, ...rest } = aContainer();
  return { ...rest, labels, id: name, name, service: name, dependsOn: restartsWith, restartsWith, ...fields };
}

const restarted = (...containers: Container[]): string[] => {
  const app = service('app', []);
  return restartedWith(app, [app, ...containers]).map(({ name }) => name);
};

test('what restarts with a restarted container is restarted after it', () => {
  expect(restarted(service('a-worker', ['queue']), service('queue', ['app']))).toEqual(['queue', 'a-worker']);
});

test('nginx is only reloaded, so what depends on it stays as it is', () => {
  expect(restarted(service('front', ['app'], { nginx: true }), service('tunnel', ['front']))).toEqual(['front']);
});

test('a dependency without restart: true is no order', () => {
  expect(restarted(service('worker', [], { dependsOn: ['app'] }))).toEqual([]);
});

test('a circle ends', () => {
  expect(restarted(service('a', ['app', 'b']), service('b', ['a'])).toSorted()).toEqual(['a', 'b']);
});

test.each<[string, Partial<Container>]>([
  ['does not run', { running: false, status: 'exited' }],
  ['is paused', { status: 'paused' }],
  ['a stop would delete', { autoRemove: true }],
  ['is diun-pilot', { self: true }],
  ['is the way to the engine', { engineDoor: true }],
  ['is of another project', { project: 'other' }],
])('a container that %s is not restarted', (_, fields) => {
  expect(restarted(service('worker', ['app'], fields))).toEqual([]);
});
