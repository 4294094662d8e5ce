import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Pilot } from '../lab/pilot';
import { expectFine, LOOKS } from './browser';
import { eventually } from './eventually';

const LINK = /^(http\S+\/approvals\/([\w.-]+))$/gm;

/** The link of the newest mail that offers this container this digest. */
export function linkInMail(pilot: Pilot, container: string, digest: string): Promise<string> {
  return eventually(
    `a mail with a link for ${container}`,
    async () => {
      const texts = (await pilot.mails()).map(({ text }) => text ?? '');
      const offer = texts.findLast(
        (text) => text.includes(container) && text.includes(`New version`) && text.includes(digest),
      );
      const link = offer === undefined ? undefined : [...offer.matchAll(LINK)][0]?.[1];
      if (link === undefined) throw new Error(`no link among ${texts.length} mails`);
      return link;
    },
    // The mail waits for the rehearsal.
    { timeoutMs: 600_000 },
  );
}

/** Every token that any mail carries. */
export async function tokensMailed(pilot: Pilot): Promise<string[]> {
  const texts = (await pilot.mails()).map(({ text }) => text ?? '');
  return [...new Set(texts.flatMap((text) => [...text.matchAll(LINK)].map(([, , token]) => token ?? '')))];
}

/** A page as it stands, seen on a phone and at a desk, light and dark; with PILOT_SHOTS=FOLDER each is kept as a picture. */
export async function seeAll(page: Page, name: string): Promise<void> {
  for (const [where, { viewport, colorScheme }] of LOOKS) {
    if (viewport) await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await expectFine(page, `${name}, on ${where}`);
    const folder = process.env['PILOT_SHOTS'];
    const file = `${name} on ${where}`.replace(/[^a-z0-9]+/g, '-');
    if (folder) await page.screenshot({ path: join(folder, `${file}.png`), fullPage: true });
  }
}

export const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name }).click();
export const verdict = (page: Page, words: string): Promise<void> =>
  page.locator('#status').getByText(words, { exact: true }).waitFor({ timeout: 120_000 });

/** The text of the page with everything unfolded. */
export async function whole(page: Page): Promise<string> {
  const closed = page.locator('details:not([open]):not([hidden]) > summary');
  while ((await closed.count()) > 0) await closed.first().click();
  return page.locator('main').innerText();
}
