import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

const LEFT_BEHIND_MS = 60 * 60 * 1000;

/** Runs `work` with a private folder and removes it afterwards, including one that a crash has left. */
export async function withScratch<T>(
  parent: string,
  work: (write: (text: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(path.join(parent, 'ask-'));
  let written = 0;
  try {
    await removeLeftovers(parent, (await stat(folder)).mtimeMs);
    return await work(async (text) => {
      const file = path.join(folder, `${written++}.yml`);
      await writeFile(file, text, { mode: 0o600 });
      return file;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeLeftovers(parent: string, now: number): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = path.join(parent, name);
    const made = await stat(folder).catch(() => null); // another one has ended meanwhile
    if (made !== null && now - made.mtimeMs > LEFT_BEHIND_MS) await rm(folder, { recursive: true, force: true });
  }
}
