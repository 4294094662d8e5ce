import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { chromium as playwright, type Browser } from 'playwright-core';
import { chromium, whyNoBrowser } from '../lab/browser';
import { startHttpOn } from '../support/approval-http';
import { API_TOKEN } from '../support/http-app';
import { liveAMonth } from './month';

// `npm run screenshots`: the pictures of the README, taken from the pages themselves (docs/images).

const FOLDER = join(__dirname, '..', '..', 'docs', 'images');
const MOST_BYTES = 150 * 1024;

interface Shot {
  name: string;
  /** A path of the app, or a whole page. */
  of: { path: string } | { html: string };
  width: number;
  height: number;
  scale: number;
}

async function main(): Promise<void> {
  const without = whyNoBrowser();
  if (without !== null) throw new Error(without);
  if (!existsSync(FOLDER)) mkdirSync(FOLDER, { recursive: true });
  const { scene, link, mail } = await liveAMonth();
  const http = await startHttpOn(scene);
  const browser = await playwright.launch({ executablePath: chromium(), args: ['--no-sandbox'] });
  const shots: Shot[] = [
    { name: 'approval-page', of: { path: link }, width: 390, height: 844, scale: 1.5 },
    { name: 'operator-page', of: { path: '/' }, width: 1120, height: 1040, scale: 1 },
    { name: 'mail', of: { html: mail }, width: 390, height: 844, scale: 1.5 },
  ];
  try {
    for (const shot of shots) await take(browser, http.url, shot);
  } finally {
    await browser.close();
    await http.stop();
    scene.close();
  }
}

async function take(browser: Browser, base: string, { name, of, width, height, scale }: Shot): Promise<void> {
  const context = await browser.newContext({
    ...{ viewport: { width, height }, deviceScaleFactor: scale, colorScheme: 'light' },
    httpCredentials: { username: 'operator', password: API_TOKEN },
  });
  const page = await context.newPage();
  if ('path' in of) await page.goto(base + of.path);
  else await page.setContent(of.html);
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path });
  await context.close();
  const { size } = statSync(path);
  if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes, more than ${MOST_BYTES}: take less of the page.`);
  console.log(`${path}: ${Math.ceil(size / 1024)} KiB`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
