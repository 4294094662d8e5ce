import { readFileSync } from 'node:fs';
import type { SettingProblem } from './rules';
import { DEFAULTS, SECRET_SETTINGS, SHARED_NAMES } from './schema';

/** The text of every setting that is given or has a default. */
export interface Environment {
  texts: Record<string, string>;
  /** Names that the operator set, directly or as a file. */
  given: Set<string>;
  problems: SettingProblem[];
}

/** Takes the settings out of the environment and of the files that it names. An empty value counts as not set, as Compose writes it. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const environment: Environment = { texts: {}, given: new Set(), problems: [] };
  for (const name of [...Object.keys(DEFAULTS), ...SHARED_NAMES]) take(environment, name, env[name]);
  for (const name of SECRET_SETTINGS) takeFile(environment, name, env[`${name}_FILE`]);
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (!environment.given.has(name) && value !== '') environment.texts[name] = value;
  }
  return environment;
}

function take({ texts, given }: Environment, name: string, value: string | undefined): void {
  if (value === undefined || value.trim() === '') return;
  given.add(name);
  texts[name] = value.trim();
}

function takeFile({ texts, given, problems }: Environment, name: string, file: string | undefined): void {
  if (file === undefined || file.trim() === '') return;
  if (given.has(name)) {
    problems.push({ name, message: `is set, and ${name}_FILE too: keep one of them` });
    return;
  }
  given.add(name);
  const content = readSecretFile(file.trim());
  if ('problem' in content) problems.push({ name: `${name}_FILE`, message: content.problem });
  else texts[name] = content.value;
}

function readSecretFile(file: string): { value: string } | { problem: string } {
  try {
    const value = readFileSync(file, 'utf8').trim();
    return value === '' ? { problem: 'names a file that is empty' } : { value };
  } catch (error) {
    return { problem: `names a file that cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}
