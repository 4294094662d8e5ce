import { readVersion } from './versions';
import type { Release } from './release-notes';

const HEADING = /^ {0,3}#{1,3}\s+(?<title>.+?)(?:\s+#+)?\s*$/;
/** `[1.25.0]`, `v1.25.0 (2025-01-02)`, `Version 1.25.0`. */
const VERSION = /^\W*(?:version\s+|release\s+)?(?<version>v?\d+(?:\.\d+)+[^\s\])(:,]*)/i;

/** The sections of a changelog, one release for each heading with a version (keepachangelog.com and the like). */
export function releasesOfChangelog(text: string, url: string): Release[] {
  const releases: Release[] = [];
  let lines: string[] = [];
  const end = (): void => {
    const last = releases.at(-1);
    if (last !== undefined) last.text = lines.join('\n').trim();
    lines = [];
  };
  for (const line of text.split('\n')) {
    const title = HEADING.exec(line)?.groups?.['title'] ?? '';
    const tag = VERSION.exec(title)?.groups?.['version'] ?? '';
    const version = tag === '' ? null : readVersion(tag);
    if (version === null) {
      lines.push(line);
      continue;
    }
    end();
    releases.push({ tag, name: title, url, text: '', prerelease: version.pre !== null });
  }
  end();
  return releases;
}
