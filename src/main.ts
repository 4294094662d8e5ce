#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { openApp, version } from './app';
import { runCli } from './cli/program';
import { dockerSocket } from './config/urls';
import { loadSettings } from './config/load';
import { createLogger } from './lib/logger';

// The reader of our output has exited, as in `diun-pilot updates | head`.
process.stdout.on('error', () => process.exit(1));

async function askAtTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

void runCli(process.argv.slice(2), {
  version: version(),
  // eslint-disable-next-line no-restricted-properties -- handed to config/, which reads it
  loadSettings: (options) => loadSettings(process.env, options),
  // eslint-disable-next-line no-restricted-properties -- as above
  dockerSocket: () => dockerSocket(process.env),
  createLogger,
  openApp,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  ask: process.stdin.isTTY && process.stdout.isTTY ? askAtTerminal : null,
}).then((code) => process.stdout.write('', () => process.exit(code)));
