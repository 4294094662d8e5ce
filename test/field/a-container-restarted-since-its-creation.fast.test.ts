import { wasCopiedBeforeStart } from '../../src/domain/recreate/layer';
import { anInspect } from '../support/inspect-builder';

// A reboot or `docker restart` moves the start, so that what was installed since the creation lies between the two.
const ofCompose = { Labels: { 'com.docker.compose.project': 'web' } };
const file = (modifiedAt: string) => ({ type: 'file' as const, size: 6, mode: 0o440, modifiedAt });
const restarted = anInspect({ state: { StartedAt: '2026-03-05T06:00:00.25Z' }, config: ofCompose });
restarted.Created = '2026-01-10T08:00:00.5Z';
const [created, installed] = ['2026-01-10T08:00:00Z', '2026-02-25T09:12:33Z'];

it.each<[string, string, string, object, boolean]>([
  ['of a package that was installed', '/usr/lib/libssl.so.3', installed, { mode: 0o644 }, false],
  ['written by Compose when it created it', '/app.conf', '2026-01-10T08:00:01Z', {}, true],
  ['written by Compose at its last start', '/app.conf', '2026-03-05T06:00:00Z', {}, true],
  ['written by Compose at a start in between', '/app.conf', installed, { mode: 0o444 }, true],
  ['a secret from a start in between', '/run/secrets/password', installed, { mode: 0o400 }, true],
  ['that is too large to be copied', '/usr/lib/libcrypto.so.3', '2026-03-05T06:00:00Z', { size: 5e6 }, false],
])('%s: %s', (_, path, modifiedAt, more, expected) => {
  expect(wasCopiedBeforeStart(path, { ...file(modifiedAt), ...more }, restarted)).toBe(expected);
});

it('without Compose is what diun-pilot copied, and nothing else', () => {
  const alone = { ...restarted, Config: { ...restarted.Config, Labels: {} } };
  const isCopied = (at: string): boolean => wasCopiedBeforeStart('/app.conf', file(at), alone);
  expect([created, '2026-01-10T08:00:01Z', installed].map(isCopied)).toEqual([true, false, false]);
});
