import { join } from 'node:path';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { nginxService, SITE, type Service } from './e2e-services';
import { openStage, startedAt } from './e2e-stage';
import { announce, endOfUpdate, type UpdateTold } from './e2e-updates';

/** Compose projects whose first service runs an image of its own tag, and one diun-pilot that updates them. */
export function openKept() {
  const stage = openStage();
  let pilot: Pilot;
  beforeAll(async () => {
    pilot = await stage.pilot();
  });
  const tagOf = (service: string): string => `field-kept/${service}:stable`;
  const imageOf = (service: string): string => stage.lab.registry.reference(tagOf(service));

  async function projectOf(name: string, service: object, top: object = {}, files: Record<string, string> = {}) {
    await stage.lab.registry.publishAndPull(stage.lab.images.NGINX_GOOD_1, tagOf(name));
    const first = { ...nginxService(imageOf(name)), ...service } as Service;
    return stage.project(name, { [name]: first, ...others(top) }, { top: topOf(top), files: { ...SITE, ...files } });
  }

  /** Publishes the next version of a service and waits for the end of its update. */
  async function updated(project: ComposeProject, service: string, mark: string): Promise<UpdateTold> {
    const image = await stage.lab.variantOf(stage.lab.images.NGINX_GOOD_2, mark);
    const digest = await stage.lab.registry.publish(image, tagOf(service));
    await announce(pilot, imageOf(service), digest);
    return endOfUpdate(pilot, await project.containerName(service), digest, 600_000);
  }

  async function expectRefusedUntouched(project: ComposeProject, service: string, reason: RegExp): Promise<UpdateTold> {
    const before = await project.container(service);
    const update = await updated(project, service, `${service}-refused`);
    expect(update).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(reason) } });
    const after = await project.container(service);
    expect([after['Id'], startedAt(after)]).toEqual([before['Id'], startedAt(before)]);
    return update;
  }

  /** The same files under another platform: the kernel runs them all the same. */
  async function as386(image: 'NGINX_GOOD_1' | 'NGINX_GOOD_2'): Promise<string> {
    const { docker, id, images } = stage.lab;
    const tag = `${id}/${image.toLowerCase()}-386:1`;
    const file = join(stage.lab.scratch('386'), 'files.tar');
    const container = (await docker.run(['create', images[image]])).trim();
    await docker.run(['export', '--output', file, container]);
    await docker.run(['rm', container]);
    const changes = ['ENTRYPOINT ["/docker-entrypoint.sh"]', 'CMD ["nginx", "-g", "daemon off;"]', 'EXPOSE 80'];
    const options = changes.flatMap((change) => ['--change', change]);
    await docker.run(['import', '--platform', 'linux/386', ...options, file, tag]);
    stage.closing(() => docker.attempt(['rmi', '--force', tag]));
    return tag;
  }

  return { stage, pilot: () => pilot, tagOf, imageOf, projectOf, updated, expectRefusedUntouched, as386 };
}

export const detailOf = (update: UpdateTold, step: string): string =>
  (update['steps'] as { name: string; detail: string }[]).find(({ name }) => name === step)?.detail ?? '';

function others(top: object): Record<string, Service> {
  return (top as { services?: Record<string, Service> }).services ?? {};
}

function topOf(top: object): object {
  return Object.fromEntries(Object.entries(top).filter(([field]) => field !== 'services'));
}
