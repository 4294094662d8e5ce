import { readFileSync } from 'node:fs';
import { chromium as playwright, type Browser, type BrowserContext, type Page, type Request } from 'playwright-core';
import { chromium } from '../lab/browser';

const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

export type Look = NonNullable<Parameters<Browser['newContext']>[0]>;
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };
/** How persons see a page. */
export const LOOKS: [string, Look][] = [
  ['a phone, light', { viewport: PHONE, colorScheme: 'light' }],
  ['a phone, dark', { viewport: PHONE, colorScheme: 'dark' }],
  ['a desk, light', { viewport: DESK, colorScheme: 'light' }],
  ['a desk, dark', { viewport: DESK, colorScheme: 'dark' }],
];

export interface Seer {
  /** A page in a profile of its own; no dialog may appear in it. */
  open(url: string, look?: Look): Promise<Page>;
  /** Every request that a page made so far. */
  requests: Request[];
  /** Ends the pages that were opened. */
  forget(): Promise<void>;
}

/** One browser for a file of tests, with these flags besides its usual ones. */
export function openBrowser(flags: string[] = []): Seer {
  let browser: Browser | null = null;
  const contexts: BrowserContext[] = [];
  const requests: Request[] = [];
  beforeAll(async () => {
    browser = await playwright.launch({ executablePath: chromium(), args: [...FLAGS.split(' '), ...flags] });
  });
  afterAll(() => browser?.close());
  return {
    requests,
    open: async (url, look = { viewport: PHONE }) => {
      if (browser === null) throw new Error('the browser starts before the first test');
      const context = await browser.newContext(look);
      contexts.push(context);
      const page = patient(await context.newPage());
      page.on('request', (request) => requests.push(request));
      page.on('dialog', () => {
        throw new Error('a script of a stranger ran');
      });
      await page.goto(url);
      return page;
    },
    forget: async () => {
      for (const context of contexts.splice(0)) await context.close();
    },
  };
}

const DISTURBED = /ERR_NETWORK_CHANGED|interrupted by another navigation to "chrome-error/;

/** Chromium gives up a page when a network of the host changes, and other files of tests create and remove Docker's. */
function patient(page: Page): Page {
  const goto = page.goto.bind(page);
  page.goto = async (url, options) => {
    for (let left = 100; ; left--) {
      try {
        return await goto(url, options);
      } catch (error) {
        if (left === 0 || !DISTURBED.test(String(error))) throw error;
        await page.waitForTimeout(200);
      }
    }
  };
  page.setDefaultNavigationTimeout(120_000);
  return page;
}

export interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, best practices included. It is given to the page by the debugger, past its Content-Security-Policy. */
async function violationsOf(page: Page): Promise<Violation[]> {
  await page.evaluate(AXE);
  return page.evaluate(
    'axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })) })))',
  );
}

/** A page as a person wants it: axe finds nothing, nothing is wider than the screen, a finger hits what it means. */
export async function expectFine(page: Page, name: string): Promise<void> {
  expect({ name, violations: await violationsOf(page) }).toEqual({ name, violations: [] });
  const width = await page.evaluate('document.documentElement.scrollWidth');
  expect({ name, width }).toEqual({ name, width: page.viewportSize()?.width });
  if (width === PHONE.width) expect({ name, small: await smallTargets(page) }).toEqual({ name, small: [] });
}

/** What a finger is to press and may miss: less than 44 px high. A link within a sentence is as high as its line. */
function smallTargets(page: Page): Promise<unknown> {
  return page.evaluate(`[...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')]
    .filter((each) => {
      const { width, height, right } = each.getBoundingClientRect();
      const around = each.closest('p, li, dd, td')?.textContent.trim() ?? '';
      const inSentence = each.tagName === 'A' && around.length > each.textContent.trim().length + 3;
      return width > 0 && right > 0 && height < 44 && !inSentence;
    })
    .map((each) => each.outerHTML.slice(0, 120))`);
}
