import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeCompose } from '../support/fake-compose';
import { composeContract } from './compose.contract';

const folder = mkdtempSync(join(tmpdir(), 'fake-compose-'));
afterAll(() => rmSync(folder, { recursive: true }));

composeContract('the fake Compose', () => ({ compose: new FakeCompose(), folder }));
