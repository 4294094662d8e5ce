import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A request as the real Diun sent it. */
export interface DiunRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
}

const FOLDER = join(__dirname, '..', 'fixtures', 'diun');

export function diunRequestNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace(/\.json$/, ''));
}

export function diunRequest(name: string): DiunRequest {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as DiunRequest;
}
