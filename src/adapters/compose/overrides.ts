import { PilotError } from '../../domain/errors';
import type { HashQuestion } from '../../ports/compose';

/** Further options, such as `--file` of a file that overrides what the project's own say. */
export type Override = string[];

/** What `docker compose up` resolves before it hashes, and `config --hash` does not: said in a file of its own. */
export async function resolvedOverride(
  question: HashQuestion,
  write: (text: string) => Promise<string>,
  ask: (override: Override, args: string[]) => Promise<string>,
): Promise<Override> {
  const { readsEnvFile, joins } = question.way;
  const lines = [
    ...(joins === null ? [] : networkLines(joins)),
    ...(readsEnvFile ? environmentLines(environmentOf(question, await ask([], resolved(question)))) : []),
  ];
  if (lines.length === 0) return [];
  const service = JSON.stringify(question.service);
  return ['--file', await write([`services:`, `  ${service}:`, ...lines.map((line) => `    ${line}`), ''].join('\n'))];
}

/** Facts, "Docker Engine", config-hash. */
function networkLines({ service, containerId, implied }: NonNullable<HashQuestion['way']['joins']>): string[] {
  const mode = `network_mode: ${JSON.stringify(`container:${containerId}`)}`;
  const dependency = { [service]: { condition: 'service_started', restart: true, required: true } };
  return implied ? [mode, `depends_on: ${JSON.stringify(dependency)}`] : [mode];
}

function resolved({ service }: HashQuestion): string[] {
  return ['config', '--format', 'json', service];
}

function environmentOf({ service }: HashQuestion, output: string): Record<string, string | null> {
  try {
    const config = JSON.parse(output) as { services: Record<string, { environment?: Record<string, string | null> }> };
    return config.services[service]?.environment ?? {};
  } catch {
    throw new PilotError('compose_failed', '`docker compose config` returned no JSON.');
  }
}

/** Dollars are escaped already, as `config` prints what may be read again. JSON is YAML. */
function environmentLines(environment: Record<string, string | null>): string[] {
  return ['env_file: !reset []', `environment: ${JSON.stringify(environment)}`];
}
