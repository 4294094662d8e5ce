import { handleInbox } from '../../src/decisions/handle-inbox';
import { requestUpdate } from '../../src/decisions/request-update';
import { approvalUrl } from '../../src/decisions/approval-links';
import { decideApproval, decideById } from '../../src/decisions/approve';
import type { Update } from '../../src/domain/update';
import { runForge } from '../support/forge-scene';
import { nginx } from '../support/scene';

// A container that diun-pilot has stopped for the update of another is not one that the operator stopped.

it('an event about it waits, and a request is refused, until that update has ended', async () => {
  const automatic = { 'update.policy': 'automatic', 'update.rehearse': 'off' };
  const forge = runForge({ labels: automatic });
  const { scene } = forge;
  const { Config } = scene.engine.host.find('forge-runner-1').inspect;
  Object.assign(Config.Labels ?? {}, { 'diun.enable': 'true', ...automatic });
  scene.hear('docker.io/library/gitea:1', scene.engine.publish('gitea:1', { ...forge.specs['gitea:1'] }).digest);
  const news = scene.engine.publish('runner:1', { ...forge.specs['runner:1'] });
  const meanwhile: unknown[] = [];
  const hear = async (): Promise<void> => {
    scene.hear('docker.io/library/runner:1', news.digest);
    await handleInbox(scene.deps);
    const code = await requestUpdate(scene.deps, { container: 'forge-runner-1' }).catch(
      ({ code }: { code: string }) => code,
    );
    meanwhile.push(scene.engine.isRunning('forge-runner-1'), code);
  };
  scene.engine.onCall('archive', hear, { once: true });
  await scene.settle();
  expect(meanwhile).toEqual([false, 'update_running']);
  expect(scene.updates().map(({ container, status }) => [container, status])).toEqual([
    ['forge-gitea-1', 'succeeded'],
    ['forge-runner-1', 'succeeded'],
  ]);
  expect(scene.engine.container('forge-runner-1').Image).toBe(news.id);
  scene.close();
});

it('an approval whose tag moved meanwhile is refused, and its offer stays open', async () => {
  const forge = runForge({ labels: { 'update.policy': 'automatic', 'update.rehearse': 'off' } });
  const { scene } = forge;
  const { Config } = scene.engine.host.find('forge-runner-1').inspect;
  Object.assign(Config.Labels ?? {}, { 'diun.enable': 'true', 'update.policy': 'manual', 'update.rehearse': 'off' });
  const publish = (reference: string): string => scene.engine.publish(reference, { ...forge.specs[reference] }).digest;
  scene.hear('docker.io/library/runner:1', publish('runner:1'));
  await scene.settle();
  const [offered] = scene.updates() as [Update];
  publish('runner:1');
  const token = approvalUrl(scene.deps, offered).split('/').at(-1) ?? '';
  const answer = { decision: 'approve' as const, name: 'forge-runner-1' };
  const meanwhile: unknown[] = [];
  const click = async (): Promise<void> => {
    const codeOf = ({ code }: { code: string }): string => code;
    meanwhile.push(
      await decideById(scene.deps, offered.id, 'approve', 'api').catch(codeOf),
      await decideApproval(scene.deps, token, answer).catch(codeOf),
    );
  };
  scene.engine.onCall('archive', click, { once: true });
  scene.hear('docker.io/library/gitea:1', publish('gitea:1'));
  await scene.settle();
  expect(meanwhile).toEqual(['update_running', 'update_running']);
  expect(scene.updates().map(({ container, status }) => [container, status])).toEqual([
    ['forge-runner-1', 'awaiting_approval'],
    ['forge-gitea-1', 'succeeded'],
  ]);
  await expect(decideById(scene.deps, offered.id, 'approve', 'api')).rejects.toMatchObject({ code: 'not_waiting' });
  expect(scene.updates().at(-1)).toMatchObject({ container: 'forge-runner-1', status: 'awaiting_approval' });
  scene.close();
});

it('its soak goes on after a crash in the middle of that update', async () => {
  const forge = runForge({ labels: { 'update.soak': '2h' } });
  const first = forge.scene;
  first.engine.publish('gitea:1', { ...forge.specs['gitea:1'] });
  await forge.update('forge-gitea-1');
  await first.clock.advance(60_000);
  await first.settle();
  first.engine.publish('postgres:15', { ...forge.specs['postgres:15'] });
  await forge.request('forge-db-1');
  await Promise.race([first.engine.crashAt('execOutput', 'before'), first.settle()]);
  expect(first.engine.isRunning('forge-gitea-1')).toBe(false);
  await first.clock.advance(20_000);
  const scene = first.restart();
  await scene.settle();
  expect(scene.store.soaks.open()).toMatchObject([{ container: 'forge-gitea-1', status: 'watching', failure: null }]);
  expect(scene.engine.isRunning('forge-gitea-1')).toBe(true);
  scene.close();
});

it('the soak of one that only needs the updated container goes on after a crash, too', async () => {
  const forge = runForge();
  const first = forge.scene;
  const { engine } = first;
  // As a proxy that answers 502 while the application behind it is stopped.
  const ask = () => ({ exitCode: engine.host.state(engine.host.find('forge-gitea-1')).Running ? 0 : 1 });
  const labels = { 'update.soak': '2h', 'update.probe': 'exec:ask' };
  engine.addImage({ reference: 'nginx:stable', scripts: { ask } });
  engine.runContainer(nginx({ labels }));
  engine.publish('nginx:stable', { scripts: { ask } });
  await forge.update('web-nginx-1');
  await first.clock.advance(60_000);
  engine.publish('gitea:1', { ...forge.specs['gitea:1'] });
  await forge.request('forge-gitea-1');
  await Promise.race([engine.crashAt('execOutput', 'before'), first.settle()]);
  expect(engine.isRunning('forge-gitea-1')).toBe(false);
  await first.clock.advance(20_000);
  const scene = first.restart();
  await scene.settle();
  expect(scene.store.soaks.open()).toMatchObject([{ container: 'web-nginx-1', status: 'watching', failure: null }]);
  expect(scene.updates().map(({ container, status }) => [container, status])).toEqual([
    ['web-nginx-1', 'succeeded'],
    ['forge-gitea-1', 'succeeded'],
  ]);
  scene.close();
});
