import { PilotError } from '../../domain/errors';
import type { Compose, HashQuestion } from '../../ports/compose';
import { resolvedOverride, type Override } from './overrides';
import { findPlugin, PLACES, runCompose } from './run-compose';
import { withScratch } from './scratch';

export interface ComposePluginOptions {
  /** A folder of our own, for copies of the files while they are asked about. */
  scratch: string;
  /** Where the plugin may be. */
  places?: readonly string[];
  /** How long one call may take. Default 10 s. */
  timeoutMs?: number;
}

/** Runs the Compose plugin that is installed with us, in its own process, on copies of the files that only we can read. */
export function createComposePlugin({ scratch, places = PLACES, timeoutMs = 10_000 }: ComposePluginOptions): Compose {
  return {
    configHash: async (question) => {
      const plugin = await findPlugin(places);
      return withScratch(scratch, async (write) => {
        const project = await projectOptions(question, write);
        const ask = (override: Override, args: string[]): Promise<string> =>
          runCompose(plugin, [...project, ...override, ...args], timeoutMs);
        const override = await resolvedOverride(question, write, ask);
        return hashIn(await ask(override, ['config', '--hash', question.service]));
      });
    },
  };
}

async function projectOptions(
  { project, folder, composeFiles, envFiles, way }: HashQuestion,
  write: (text: string) => Promise<string>,
): Promise<string[]> {
  const options = ['--project-name', project, '--project-directory', folder];
  for (const text of envFiles) options.push('--env-file', await write(text));
  for (const text of composeFiles) options.push('--file', await write(text));
  return way.allProfiles ? [...options, '--profile', '*'] : options;
}

/** `SERVICE HASH` on a line of its own. */
function hashIn(output: string): string {
  const hash = /^\S+ ([0-9a-f]{64})$/m.exec(output)?.[1];
  if (hash !== undefined) return hash;
  throw new PilotError('compose_failed', '`docker compose config --hash` returned no hash.');
}
