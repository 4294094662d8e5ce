import { inspect } from 'node:util';
import { loadSettings } from '../../../src/config/load';
import { readNotesHosts } from '../../../src/config/fields';
import { messageOf } from '../../../src/domain/errors';

const NOWHERE = { PILOT_DATA_DIR: '/tmp' };
const load = (env: Record<string, string>) => loadSettings({ ...NOWHERE, ...env }, { generateSecrets: false });

test('hosts are read as an address would have them, with their ports', () => {
  expect(readNotesHosts('Git.Example.org, git.lan:3000,127.0.0.1:80,[::1]:3000')).toEqual({
    value: [
      { host: 'git.example.org', port: null },
      { host: 'git.lan', port: 3000 },
      { host: '127.0.0.1', port: 80 },
      { host: '[::1]', port: 3000 },
    ],
  });
});

test('tokens are secrets by host', () => {
  const { notes } = load({ PILOT_NOTES_TOKENS: 'github.com=ghp_abc=, git.lan:3000=t0ken' });
  expect(notes.tokens.get('github.com')?.reveal()).toBe('ghp_abc=');
  expect(notes.tokens.get('git.lan:3000')?.reveal()).toBe('t0ken');
  expect(inspect(notes, { depth: 9 }) + JSON.stringify([...notes.tokens])).not.toMatch(/ghp_|t0ken/);
});

test('a problem repeats no token', () => {
  let problem = '';
  try {
    load({ PILOT_NOTES_TOKENS: 'github.com=ghp_abc,hunter2' });
  } catch (error) {
    problem = messageOf(error);
  }
  expect(problem).toMatch(/^PILOT_NOTES_TOKENS: must be pairs such as github\.com=TOKEN/);
  expect(problem).not.toMatch(/ghp_|hunter2/);
});
