#!/usr/bin/env node
import { openApp, version } from './app';
import { runCli } from './cli/program';
import { loadSettings } from './config/load';

void runCli(process.argv.slice(2), {
  version: version(),
  // eslint-disable-next-line no-restricted-properties -- handed to config/, which reads it
  loadSettings: (options) => loadSettings(process.env, options),
  openApp,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
}).then((code) => process.stdout.write('', () => process.exit(code)));
