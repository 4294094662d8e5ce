import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { engineRestartContract } from '../contract/engine-restart.contract';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import { besideLab } from '../support/e2e-other-engine';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';
import { describeIf } from '../support/needs';

describeIf(whyNoOtherEngine(), 'an engine that may be restarted', () => {
  const stage = openStage();
  engineRestartContract('the real engine', async () => {
    const image = stage.lab.images.DEBIAN_13;
    const { stage: other, engine } = await besideLab(stage, [image]);
    return {
      engine: createDockerEngine({ dockerHost: other.lab.docker.host, dockerConfigDir: null }),
      prefix: 'contract-restart',
      image,
      published: { reference: '', digest: '' },
      unpublished: '',
      network: 'bridge',
      hasVolume: async (name) => (await other.lab.docker.inspect('volume', name)) !== null,
      takeDown: () => Promise.resolve(),
      heeds: async (id) => {
        const handlesTerm = ['grep', '-qE', '^SigCgt:.*[4-7c-f][0-9a-f]{3}$', '/proc/1/status'];
        await eventually(`${id} handles SIGTERM`, () =>
          other.lab.docker.run(['exec', id, ...handlesTerm]).then(() => true),
        );
      },
      restartDaemon: async (how) => {
        await engine.end(how);
        await engine.begin();
      },
    };
  });
});
