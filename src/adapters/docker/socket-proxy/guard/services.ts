import { isEnabled } from '../../../../domain/labels/parse-flag';
import { repositoryNamed } from './family';
import { mustBe, refuse } from './refused';
import { isSame } from './same';
import type { Sight } from './sight';

type Json = Record<string, unknown>;

/** An update of a Swarm service changes its image, within its repository; its replicas only where the operator allows that. */
export async function judgeServiceUpdate(sight: Sight, id: string, body: unknown): Promise<void> {
  const service = (await sight.service(id)) ?? refuse(`there is no service ${id}`);
  const labels = service.Spec.Labels ?? {};
  const mayScale = labels['backup.quiesce']?.trim() === 'allowed';
  const asked = body as Json;
  const [from, to] = [imageIn(service.Spec), imageIn(asked)];
  const onlyScales = mayScale && to === from;
  mustBe(isEnabled(labels) || onlyScales, 'the service does not have the label diun.enable=true');
  mustBe(
    repositoryNamed(to) !== null && repositoryNamed(to) === repositoryNamed(from),
    'its image is from another repository',
  );
  mustBe(
    isSame(withoutImage(asked, mayScale), withoutImage(service.Spec, mayScale)),
    'more than the image of the service would change',
  );
}

function imageIn(spec: Json): string {
  const { ContainerSpec } = (spec['TaskTemplate'] ?? {}) as { ContainerSpec?: { Image?: unknown } };
  return typeof ContainerSpec?.Image === 'string' ? ContainerSpec.Image : '';
}

function withoutImage(spec: Json, mayScale: boolean): Json {
  const task = (spec['TaskTemplate'] ?? {}) as Json;
  const mode = (spec['Mode'] ?? {}) as Json;
  const replicated = { ...(mode['Replicated'] as Json | undefined), Replicas: undefined };
  return {
    ...spec,
    Labels: { ...(spec['Labels'] as Json | undefined), 'com.docker.stack.image': undefined },
    TaskTemplate: { ...task, ContainerSpec: { ...(task['ContainerSpec'] as Json | undefined), Image: undefined } },
    Mode: mayScale && 'Replicated' in mode ? { ...mode, Replicated: replicated } : mode,
  };
}
