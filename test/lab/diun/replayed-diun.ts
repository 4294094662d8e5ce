import { setTimeout as pause } from 'node:timers/promises';
import { DockerCli } from '../engine/docker-cli';
import type { Lab } from '../lab';
import { INDEX_TYPE } from '../registry/registry-http';
import type { Diun, DiunTarget } from './diun';
import { about, recordedRequest, send } from './recorded-requests';

type Tagged = NonNullable<Awaited<ReturnType<Lab['registry']['tagged']>>>;

interface Watched {
  id: string;
  name: string;
  image: string;
}

/**
 * Stands in for Diun where it cannot be had: asks the lab's registry as Diun would, and when a tag has a new digest sends
 * the requests that were recorded from the real one, one per container, over a real connection.
 */
export async function replayedDiun(lab: Lab, target: DiunTarget): Promise<Diun> {
  target.say('##############################################################################');
  target.say('## Diun is not to be had here: REPLAYING requests recorded from the real one ##');
  target.say('##############################################################################');
  const known = new Map<string, string>();
  await look(lab, target, known);
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      await look(lab, target, known).catch((error: unknown) => target.say(`replayed Diun: ${String(error)}`));
      await pause(500);
    }
  })();
  const stop = async () => {
    stopped = true;
    await watching;
  };
  return { kind: 'replayed', stop };
}

/** Like Diun: what is seen for the first time, or was refused, is not reported again. */
async function look(lab: Lab, target: DiunTarget, known: Map<string, string>): Promise<void> {
  const containers = await watched(lab);
  for (const image of new Set(containers.map((container) => container.image))) {
    const tagged = await lab.registry.tagged(image.slice(lab.registry.address.length + 1));
    const before = known.get(image);
    if (!tagged || tagged.digest === before) continue;
    known.set(image, tagged.digest);
    if (before)
      await report(
        containers.filter((container) => container.image === image),
        tagged,
        target,
      );
  }
}

async function watched(lab: Lab): Promise<Watched[]> {
  const format = '{{.ID}}\t{{.Names}}\t{{.Image}}';
  const docker = new DockerCli(lab.docker.path, lab.viewHost);
  const rows = await docker.lines(['ps', '--no-trunc', '--filter', 'label=diun.enable=true', '--format', format]);
  return rows
    .map((row) => row.split('\t'))
    .map(([id = '', name = '', image = '']) => ({ id, name, image }))
    .filter(({ image }) => image.startsWith(`${lab.registry.address}/`) && !image.includes('@'));
}

async function report(containers: Watched[], tagged: Tagged, { baseUrl, token, say }: DiunTarget): Promise<void> {
  const isIndex = tagged.mediaType === INDEX_TYPE;
  const recorded = recordedRequest(isIndex ? 'update-index' : 'update-same-tag-first-container');
  const sent = containers.map(async ({ id, name, image }) => {
    const request = about(recorded, { image, digest: tagged.digest, ctn_id: id, ctn_names: name });
    const answer = await send(request, baseUrl, `Bearer ${token}`);
    if (answer.status >= 300)
      say(`replayed Diun: Webhook notification failed: unexpected HTTP status ${answer.status}: ${answer.body}`);
  });
  await Promise.all(sent);
}
