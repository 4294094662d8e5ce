import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function version(): string {
  const packageJson = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(packageJson) as { version: string }).version;
}
