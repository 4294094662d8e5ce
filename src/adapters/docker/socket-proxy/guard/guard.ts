import { COMPOSE } from '../../../../domain/compose/compose-project';
import { isEnabled } from '../../../../domain/labels/parse-flag';
import { judgeCreate, mustHaveItsNetworks, rememberMacs } from './create';
import {
  familyOf,
  imageIn,
  isOwn,
  isReplaceable,
  isWatched,
  type Known,
  meantByCompose,
  type Memory,
  mustBeMovable,
  newMemory,
  readName,
  remember,
  repositoryNamed,
  type Role,
  type ServiceInfo,
  type Sight,
} from './family';
import { judgePull, judgeRemoval, judgeTag } from './images';
import { judgeExec, judgeExecStart, judgeRead, judgeWrite, target } from './inside';
import { isSameJson, Missing, mustBe, onlyKeys, refuse, Refused, words } from './strict';

/** A listed call, taken apart. */
export interface GuardedCall {
  /** As it is listed: `POST /containers/{id}/exec`. */
  call: string;
  isHead: boolean;
  /** What stands for `{id}` or `{name}`; empty: the call has none. */
  place: string;
  query: Readonly<Record<string, string>>;
  /** Null: there is none. */
  body: Record<string, unknown> | null;
}

/** `place`: by which the call is passed on. `noted`: to be called with the engine's answer when the call has created something. */
export type Verdict =
  { passes: true; place: string; noted?: (id: string) => void } | { passes: false; reason: string; status: 403 | 404 };

export interface Guard {
  /** Whether anything of the call is looked at; else it only reads lists and states. */
  judges(call: string): boolean;
  /** Rejects when the engine does not answer. */
  judge(sight: Sight, asked: GuardedCall): Promise<Verdict>;
  /** Whether the call must be judged and answered before the next one: it decides about names, or acts by them. */
  mustBeAlone(call: string): boolean;
}

type Passed = Omit<Extract<Verdict, { passes: true }>, 'passes'>;
type Rule = (scene: Scene) => Promise<Partial<Passed> | void> | void;

interface Scene {
  sight: Sight;
  memory: Memory;
  asked: GuardedCall;
}

const ALONE = new Set([
  ...['POST /containers/create', 'POST /containers/{id}/rename', 'DELETE /containers/{id}'],
  ...['POST /images/{name}/tag', 'DELETE /images/{name}', 'POST /networks/{id}/connect'],
]);
const NOT_OPENED = 'it was not created by diun-pilot, and is not opened to updates';
const RESTART_POLICY = words('Name MaximumRetryCount');
const CONNECT = words('Container EndpointConfig');
/** Of these an anonymous volume may go with the container: it never was the operator's. */
const WITH_VOLUMES: Role[] = ['check', 'drill', 'rehearsal', 'new'];

/** A call that only says which container is to run, or not. */
const onMovable: Rule = async (scene) => ({ place: (await movable(scene)).container.Id });

const onStop: Rule = async (scene) => {
  const known = await movable(scene);
  rememberMacs(scene.memory, known.container);
  return { place: known.container.Id };
};

/** One rule for each call that changes something, or that reads files. A call without one is refused (a test holds it). */
export const RULES: Readonly<Record<string, Rule>> = {
  'POST /containers/create': async ({ sight, memory, asked }) => {
    const name = asked.query['name'] ?? refuse('it has no name');
    const what = await judgeCreate(sight, memory, { name, body: asked.body ?? {} });
    return { noted: (id) => (memory.created.set(id, what), remember(memory.created)) };
  },
  'POST /containers/{id}/rename': async ({ sight, memory, asked }) => {
    mustSayNothing(asked);
    const known = await target(sight, asked.place);
    const [from, to] = [readName(known.container.Name), readName(asked.query['name'] ?? '')];
    const mayMove = ({ role }: { role: Role }): boolean => ['plain', 'old', 'new'].includes(role);
    const isItsName = from.base === to.base && mayMove(from) && mayMove(to);
    mustBe(
      isItsName || isLeftByCompose(known, asked.query['name'] ?? ''),
      'a container keeps its own name, with or without an ending of diun-pilot',
    );
    mustBe(await isReplaceable(sight, memory, known), NOT_OPENED);
    replace(memory, known);
    return { place: known.container.Id };
  },
  'POST /containers/{id}/update': async ({ sight, memory, asked }) => {
    const { RestartPolicy } = onlyKeys('the update', asked.body, words('RestartPolicy'));
    onlyKeys('RestartPolicy', RestartPolicy, RESTART_POLICY);
    const known = await target(sight, asked.place);
    await mustBeMovable(sight, memory, known);
    return { place: known.container.Id };
  },
  'POST /containers/{id}/start': onMovable,
  'POST /containers/{id}/stop': onStop,
  'POST /containers/{id}/restart': onMovable,
  'POST /containers/{id}/wait': onMovable,
  'POST /containers/{id}/exec': async ({ sight, memory, asked }) => {
    const known = await target(sight, asked.place);
    await judgeExec(sight, memory, known, asked.body);
    return { place: known.container.Id, noted: (id) => (memory.execs.add(id), remember(memory.execs)) };
  },
  'GET /containers/{id}/archive': async ({ sight, memory, asked }) => {
    const known = await target(sight, asked.place);
    await judgeRead(sight, memory, known, asked.query['path'] ?? '/', asked.isHead);
    return { place: known.container.Id };
  },
  'PUT /containers/{id}/archive': async ({ sight, memory, asked }) => {
    const known = await target(sight, asked.place);
    await judgeWrite(sight, memory, known);
    return { place: known.container.Id };
  },
  'DELETE /containers/{id}': async ({ sight, memory, asked }) => {
    mustSayNothing(asked);
    const known = await target(sight, asked.place);
    const { role } = readName(known.container.Name);
    mustBe(isOwn(known, memory) || (await isReplaceable(sight, memory, known)), NOT_OPENED);
    mustBe(!isTrue(asked.query['v']) || WITH_VOLUMES.includes(role), 'its volumes stay');
    mustBe(!isTrue(asked.query['force']), 'it is not removed by force');
    replace(memory, known);
    return { place: known.container.Id };
  },
  'POST /exec/{id}/start': ({ memory, asked }) => {
    mustBeOwnExec(memory, asked.place);
    judgeExecStart(asked.body);
  },
  'GET /exec/{id}/json': ({ memory, asked }) => mustBeOwnExec(memory, asked.place),
  'POST /images/{name}/tag': async ({ sight, memory, asked }) => {
    mustSayNothing(asked);
    await judgeTag(sight, memory, asked.place, asked.query['repo'] ?? '');
  },
  'DELETE /images/{name}': async ({ sight, memory, asked }) => {
    mustSayNothing(asked);
    return { place: await judgeRemoval(sight, memory, asked.place) };
  },
  'POST /images/create': async ({ sight, memory, asked }) => {
    mustSayNothing(asked);
    await judgePull(sight, memory, asked.query['fromImage'] ?? '', asked.query['tag'] ?? '');
  },
  'POST /networks/{id}/connect': async ({ sight, memory, asked }) => {
    const { Container, EndpointConfig } = onlyKeys('the request', asked.body, CONNECT);
    const created = memory.created.get(String(Container)) ?? refuse('it was not created through this proxy');
    mustBe(['plain', 'new', 'check'].includes(created.role), 'a one-off joins no network');
    const all = await familyOf(sight, memory, created.base, created.role);
    const family = all.filter(({ container }) => container.Id !== Container);
    mustBe(
      family.some((known) => joins(known, asked.place, EndpointConfig, memory)),
      `${created.base} is not in the network ${asked.place} in this way`,
    );
  },
  'POST /services/{id}/update': async ({ sight, asked }) => judgeServiceUpdate(sight, asked),
};

/**
 * Whether a call asks for no more than what the operator created already has. What it remembers is of this process: what it has
 * created, and what that replaced.
 */
export function createGuard(memory: Memory = newMemory()): Guard {
  return {
    judges: (call) => call in RULES || !call.startsWith('GET '),
    mustBeAlone: (call) => ALONE.has(call),
    judge: async (sight, asked) => {
      const rule = RULES[asked.call];
      if (rule === undefined) return { passes: false, reason: 'there is no rule for this call', status: 403 };
      try {
        return { passes: true, place: asked.place, ...(await rule({ sight, memory, asked })) };
      } catch (error) {
        if (error instanceof Refused)
          return { passes: false, reason: error.message, status: error instanceof Missing ? 404 : 403 };
        throw error;
      }
    },
  };
}

async function movable({ sight, memory, asked }: Scene): Promise<Known> {
  mustSayNothing(asked);
  const known = await target(sight, asked.place);
  await mustBeMovable(sight, memory, known);
  return known;
}

function mustSayNothing({ body }: GuardedCall): void {
  mustBe(Object.keys(body ?? {}).length === 0, 'this call has no body');
}

/** `docker compose up -d` may end before it has given a container its name (src/updates/soak/watch-soaks.ts). */
function isLeftByCompose(known: Known, name: string): boolean {
  const isComposes = [COMPOSE.project, COMPOSE.service].every((label) => known.labels[label]);
  return isComposes && isWatched(known) && meantByCompose(known.container.Name) === name;
}

function mustBeOwnExec({ execs }: Memory, id: string): void {
  mustBe(execs.has(id), 'the command was not prepared through this proxy');
}

/** As it was before it was renamed or removed: one that is gone may be created again. */
function replace({ replaced }: Memory, known: Known): void {
  const { base, role } = readName(known.container.Name);
  if (role !== 'plain' || !isWatched(known)) return;
  replaced.set(base, known);
  remember(replaced);
}

function joins({ container }: Known, network: string, endpoint: unknown, memory: Memory): boolean {
  try {
    mustHaveItsNetworks(container, { [network]: endpoint ?? {} }, memory);
    return true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

/** As the engine reads a flag (Go, `httputils.BoolValue`). */
function isTrue(value: string | undefined): boolean {
  return !['', '0', 'no', 'false', 'none', undefined].includes(value?.trim().toLowerCase());
}

type Json = Record<string, unknown>;

/**
 * An update of a Swarm service changes its image, within its repository; its replicas only where the operator allows that. On the way
 * back (`rollback=previous`) the engine takes the previous specification, whatever is sent: that must differ in no more, either.
 */
async function judgeServiceUpdate(sight: Sight, { place, query, body }: GuardedCall): Promise<void> {
  const service = (await sight.service(place)) ?? refuse(`there is no service ${place}`);
  mustOnlyChangeImage(service.Spec, body as Json);
  if (query['rollback'] === undefined) return;
  mustOnlyChangeImage(service.Spec, service.PreviousSpec ?? refuse('the service has no previous specification'));
}

function mustOnlyChangeImage(now: ServiceInfo['Spec'], asked: Json): void {
  const labels = now.Labels ?? {};
  const mayScale = labels['backup.quiesce']?.trim() === 'allowed';
  const [from, to] = [imageIn(now), imageIn(asked)];
  const onlyScales = mayScale && to === from;
  mustBe(isEnabled(labels) || onlyScales, 'the service does not have the label diun.enable=true');
  mustBe(
    repositoryNamed(to) !== null && repositoryNamed(to) === repositoryNamed(from),
    'its image is from another repository',
  );
  mustBe(
    isSameJson(withoutImage(asked, mayScale), withoutImage(now, mayScale)),
    'more than the image of the service would change',
  );
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
