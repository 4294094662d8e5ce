import { parseImageReference } from '../../../domain/images/image-reference';
import { askJson, type JsonAnswer, type Question } from './ask-json';
import { credentialsFor } from './credentials';
import { Destinations } from './destinations';
import { isLoopback, refused } from './refusal';
import { authorizationFor } from './token';

const DOCKER_HUB = 'registry-1.docker.io';

/** One repository of a registry, asked by the distribution API from this process. */
export interface Repository {
  registry: URL;
  destinations: Destinations;
  /** `path` is below the repository: `manifests/sha256:…`. */
  url(path: string): URL;
  /**
   * Asks, and where the registry requires a login, asks again with one. Resolves with the answer and the question that was
   * answered, which is the form of all further ones. Rejects as `askJson`, and with `registry_refused` without a login.
   */
  ask(url: URL, question: Question): Promise<{ answer: JsonAnswer; question: Question }>;
}

/** Reads the credentials; asks nothing yet. Rejects with `registry_refused` when they cannot be read. */
export async function openRepository(dockerConfigDir: string | null, reference: string): Promise<Repository> {
  const { domain, path } = parseImageReference(reference);
  const registry = new URL(`https://${domain === 'docker.io' ? DOCKER_HUB : domain}`);
  if (isLoopback(registry)) registry.protocol = 'http:';
  const destinations = new Destinations(registry);
  const credentials = await credentialsFor(dockerConfigDir, reference);
  return {
    registry,
    destinations,
    url: (below) => new URL(`/v2/${path}/${below}`, registry),
    ask: async (url, question) => {
      const answer = await askJson(destinations, url, question);
      const challenge = answer.status === 401 ? answer.headers['www-authenticate'] : undefined;
      if (challenge === undefined) return { answer, question };
      const authorization = await authorizationFor(destinations, challenge, credentials, question.signal);
      if (authorization === null) throw refused(registry, 'it wants a login, and there is none');
      const known = { ...question, authorization };
      return { answer: await askJson(destinations, url, known), question: known };
    },
  };
}
