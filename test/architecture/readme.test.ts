import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

test('the README is read in five minutes: at most 150 lines, 900 words, 120 characters a line', () => {
  const lines = README.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(150);
  expect(README.split(/\s+/).filter((word) => word !== '').length).toBeLessThanOrEqual(900);
  const tooLong = lines.filter((line) => line.length > 120 && !line.startsWith('docker run '));
  expect(tooLong).toEqual([]);
});

test('its pictures are there, are small, and have a text for those who do not see them', () => {
  const pictures = [...README.matchAll(/<img src="([^"]+)"[^>]*?alt="([^"]*)"/g)];
  expect(pictures.length).toBeGreaterThanOrEqual(3);
  for (const [, path = '', text = ''] of pictures) {
    expect(statSync(join(ROOT, path)).size).toBeLessThanOrEqual(150 * 1024);
    expect(text.length).toBeGreaterThan(20);
  }
});

test('the npm package has no pictures', () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
  expect(files).toEqual(['dist']);
});
