import { asideName } from '../../containers/artifact-names';
import { removeByName } from '../../containers/start-stop-remove';
import { runsNginx } from '../../domain/application';
import type { CreateRequest, EndpointSettings, ImageInspect } from '../../domain/engine-inspect';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import { isFaultOfImage } from '../../domain/health/health-failure';
import { configTest } from '../../domain/nginx/config-test';
import { createRequest } from '../../domain/recreate/create-request';
import { copyLayerFiles, withPresentVolumes } from '../../containers/carry-over/copy-files';
import type { Run } from '../run';

const ANSWER_WITHIN_MS = 60_000;

/**
 * `nginx -t` in a one-off container of the new image, with the live mounts and networks: checks before the swap whether
 * the configuration still parses. `copied`: files in the old container's own layer that the new one gets too. Null: the
 * container is not an nginx.
 */
export async function testNginxConfig(
  run: Run,
  newImage: ImageInspect,
  copied: readonly string[],
): Promise<string | null> {
  const { engine, container, update, old } = run;
  if (!runsNginx(container.labels, newImage.Config?.Env)) return null;
  const { exitCode, log } = await testIn(run, newImage, copied, whyNotRun);
  if (exitCode === 0) return 'nginx -t passes in the new image with the live configuration';
  await mustPassInOld(run);
  const before = await testIn(run, await engine.inspectImage(old.Image), copied, whyNotCompared);
  if (before.exitCode !== 0)
    return `nginx -t could not check the new image: outside of the running ${container.name} it fails in the old image, too`;
  throw new PilotError(
    'preflight_failed',
    `The configuration of ${container.name} does not work with ${update.to.reference}: nginx -t exits ${exitCode}. Nothing was changed. Fix the configuration, then request the update again: diun-pilot update ${container.name}\n${log.join('\n')}`,
  );
}

/** An upstream that is down fails the configuration in every version: that says nothing of the new image. */
async function mustPassInOld({ engine, old, container }: Run): Promise<void> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const { exitCode, stderr } = await engine.exec(old.Id, ['nginx', '-t'], { signal });
  if (exitCode === 0 || !/nginx: /.test(stderr)) return;
  throw new PilotError(
    'preflight_blocked',
    `The configuration of ${container.name} does not pass nginx -t in the running version either, so a restart would fail too. Nothing was changed. Correct it, or start the upstream that it names, then run: diun-pilot update ${container.name}\n${stderr.trim()}`,
  );
}

/** Rejects with what `explain` makes of the engine's error. */
async function testIn(
  run: Run,
  image: ImageInspect,
  copied: readonly string[],
  explain: (error: unknown) => PilotError,
): Promise<{ exitCode: number; log: string[] }> {
  const name = asideName(run.journal.containerName, 'check', run.update.id);
  await removeByName(run, name);
  try {
    return await runOnce(run, name, image, copied);
  } catch (error) {
    rethrowEngineLost(error);
    throw explain(error);
  } finally {
    await removeByName(run, name);
  }
}

async function runOnce(
  run: Run,
  name: string,
  image: ImageInspect,
  copied: readonly string[],
): Promise<{ exitCode: number; log: string[] }> {
  const { engine } = run;
  const old = await withPresentVolumes(engine, run.old);
  const oldImage = await engine.inspectImage(old.Image);
  const request = createRequest({ container: old, oldImage, newImage: image, reference: image.Id });
  const id = await engine.createContainer(name, testOnly(request, image));
  await copyLayerFiles(engine, old.Id, id, copied);
  await engine.start(id);
  const exitCode = await engine.wait(id, AbortSignal.timeout(ANSWER_WITHIN_MS));
  return { exitCode, log: await engine.logs(id, 20) };
}

function whyNotRun(error: unknown): PilotError {
  const message = `nginx -t could not be run in the new image: ${messageOf(error)}`;
  const code = isFaultOfImage({ code: 'recreate_failed', message }) ? 'preflight_failed' : 'preflight_blocked';
  return new PilotError(code, message, { cause: error });
}

function whyNotCompared(error: unknown): PilotError {
  const message = `nginx -t fails in the new image, and could not be run in the old one for comparison: ${messageOf(error)}`;
  return new PilotError('preflight_blocked', message, { cause: error });
}

/** The same container, but it only tests: no ports, no fixed addresses, no aliases, no restarts, unknown to Compose and Diun. */
function testOnly({ body, connect }: CreateRequest, image: ImageInspect): CreateRequest {
  const plain = ({ DriverOpts }: EndpointSettings): EndpointSettings => (DriverOpts ? { DriverOpts } : {});
  return {
    body: {
      ...body,
      ...configTest(body.Entrypoint, image.Config),
      Labels: {},
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        ...body.HostConfig,
        PortBindings: {},
        PublishAllPorts: false,
        AutoRemove: false,
        RestartPolicy: { Name: 'no' },
      },
      NetworkingConfig: {
        EndpointsConfig: Object.fromEntries(
          Object.entries(body.NetworkingConfig.EndpointsConfig).map(([network, endpoint]) => [
            network,
            plain(endpoint),
          ]),
        ),
      },
    },
    connect: connect.map(({ network, endpoint }) => ({ network, endpoint: plain(endpoint) })),
  };
}
