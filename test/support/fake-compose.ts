import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readEnvFile } from '../../src/domain/compose/variables';
import { PilotError } from '../../src/domain/errors';
import type { Compose, HashQuestion } from '../../src/ports/compose';

type Service = Record<string, unknown> & { profiles?: string[]; env_file?: string; network_mode?: string };

/** A Compose in memory that keeps the same promises as the real one (test/contract/compose.contract.ts). */
export class FakeCompose implements Compose {
  /** False: there is none on this machine. */
  present = true;

  configHash(question: HashQuestion): Promise<string> {
    return new Promise((resolve) => resolve(this.hash(question)));
  }

  private hash({ service: name, folder, composeFiles, envFiles, way }: HashQuestion): string {
    if (!this.present) throw new PilotError('compose_failed', 'There is no Docker Compose here.');
    const service = merged(composeFiles, name);
    if (service === undefined || (service.profiles !== undefined && !way.allProfiles))
      throw new PilotError('compose_failed', 'Docker Compose did not read the files of the project (exit code 1).');
    const resolved = {
      ...service,
      ...(way.joins === null ? {} : { network_mode: `container:${way.joins.containerId}`, implied: way.joins.implied }),
      ...(way.readsEnvFile && service.env_file !== undefined
        ? { read: readFileSync(join(folder, service.env_file), 'utf8') }
        : {}),
    };
    const told = interpolated(JSON.stringify(resolved), envFiles);
    return createHash('sha256').update(told).digest('hex');
  }
}

function merged(texts: readonly string[], name: string): Service | undefined {
  try {
    const services = texts.map(
      (text) => (parse(text, { merge: true }) as { services: Record<string, Service> }).services,
    );
    const found = services.flatMap((all) => all[name] ?? []);
    return found.length === 0 ? undefined : Object.assign({}, ...found);
  } catch {
    throw new PilotError('compose_failed', 'Docker Compose did not read the files of the project (exit code 15).');
  }
}

function interpolated(text: string, envFiles: readonly string[]): string {
  const entries = envFiles.flatMap((file) => readEnvFile(file) ?? []);
  const set = new Map(entries.map(({ name, value }) => [name, value ?? '']));
  return text.replaceAll(
    /\$\{?(\w+)(?::-([^}]*))?\}?/g,
    (_, name: string, otherwise = '') => set.get(name) || otherwise,
  );
}
