import supertest from 'supertest';
import { systemClock, type Clock } from '../../src/lib/clock';
import type { Store } from '../../src/ports/store';
import { aSeen } from '../support/certificate-builder';
import { aContainer } from '../support/container-builder';
import { asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { aBackup, aBrokenOne, aGoodOne, CONTAINERS, fillHost, GITEA, offered } from '../support/pages-stage';

/** At least a millisecond passes between two looks: a fast machine, too, has a downtime that is not none. */
function tickingClock(): Clock {
  let last = 0;
  return { ...systemClock, now: () => new Date((last = Math.max(last + 1, Date.now()))) };
}

let http: RunningHttp;
beforeEach(async () => {
  const containers = () => Promise.resolve(CONTAINERS.filter(({ running }) => running));
  http = await startHttp({ containers, clock: tickingClock() });
});
afterEach(() => http.stop());

async function open(): Promise<string> {
  return (await supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200)).text;
}

const headline = (page: string): string => /<h1>(.*?)<\/h1>/.exec(page)?.[1] ?? '';

describe('the first line', () => {
  test('says that all is well, and of how much', async () => {
    aBackup(http.store, 'git', 'succeeded');
    expect(headline(await open())).toMatch(
      /^All well: 3 containers watched, last backup \d{4}-\d\d-\d\d \d\d:\d\d \(9 h ago\)$/,
    );
  });

  test('says how many updates need a decision, and how many problems there are', async () => {
    offered(http.store, GITEA, 'gitea/gitea:1.24.6');
    expect(headline(await open())).toBe('1 update needs your decision');
    aBrokenOne(http.store, 'rollback_failed');
    offered(http.store, GITEA, 'gitea/gitea:1.24.7');
    expect(headline(await open())).toBe('2 updates need your decision, 1 problem needs attention');
  });

  test('is followed by what needs the operator, then by the rest', async () => {
    fillHost(http.store);
    const page = await open();
    const places = ['<h1>', 'id="attention"', 'id="waiting"', 'aria-label="Sections"', 'id="working"', 'id="glance"'];
    const found = places.map((place) => page.indexOf(place));
    expect(found).not.toContain(-1);
    expect(found).toEqual([...found].sort((a, b) => a - b));
  });
});

/** Every picture of a page, by its title. */
function picturesIn(page: string): Record<string, { text: string; svg: string; after: string }> {
  const figures = page.match(/<figure[\s\S]*?<\/figure>/g) ?? [];
  return Object.fromEntries(
    figures.map((figure) => {
      const svg = /<svg[\s\S]*?<\/svg>/.exec(figure)?.[0] ?? '';
      const [, title = ''] = /<title[^>]*>(.*?)<\/title>/.exec(svg) ?? [];
      const [, text = ''] = /<desc[^>]*>(.*?)<\/desc>/.exec(svg) ?? [];
      return [title, { text, svg, after: figure.slice(figure.indexOf('</svg>')) }];
    }),
  );
}

describe('the pictures', () => {
  test('say in text what they show', async () => {
    const now = new Date();
    http.store.certificates.replace([aSeen({ name: 'git.example.org', served: aSeen({}).disk })]);
    aBackup(http.store, 'git', 'succeeded');
    aGoodOne(http.store);
    aBrokenOne(http.store, 'rolled_back');
    aBrokenOne(http.store, 'rollback_failed');
    const pictures = picturesIn(await open());
    expect(Object.keys(pictures)).toEqual([
      'Updates and their verdicts',
      'Downtime of the latest updates',
      'Days left of each certificate',
      'Backups of git',
    ]);
    const day = now.toISOString().slice(0, 10);
    expect(pictures['Updates and their verdicts']?.text).toBe(
      `3 updates of 2 containers since ${day}: 1 succeeded; 1 rolled back; 1 manual action required.`,
    );
    expect(pictures['Updates and their verdicts']?.after).toMatch(/<details>[\s\S]*<table/);
    expect(pictures['Downtime of the latest updates']?.text).toMatch(
      /^web-nginx-1 1.28: \d+ ms, rolled back. git-gitea-1 1.24.5: /,
    );
    expect(pictures['Days left of each certificate']?.text).toMatch(/^git.example.org: .*Renewal is due/);
    expect(pictures['Backups of git']?.text).toContain('1 backup. Size from 412.7 MiB to 412.7 MiB');
  });

  test('have a shape for each verdict, and no style or script of their own', async () => {
    fillHost(http.store);
    const page = await open();
    const { svg = '' } = picturesIn(page)['Updates and their verdicts'] ?? {};
    expect(svg).toMatch(/<circle class="good"/);
    expect(svg).toMatch(/<path class="attention"/);
    expect(svg).toMatch(/<path class="alarm stroke"/);
    expect(page).not.toMatch(/ style=|<script|<image|xlink:href/);
  });

  test('are not there where nothing has happened yet', async () => {
    expect(await open()).not.toMatch(/<svg|id="glance"/);
  });

  test('stay small, however long the history and however many the containers', async () => {
    aLongHistory(http.store);
    const page = await open();
    const pictures = Object.values(picturesIn(page));
    expect(pictures).toHaveLength(5);
    expect(Math.max(...pictures.map(({ svg }) => svg.length))).toBeLessThan(12_000);
  });
});

function aLongHistory(store: Store): void {
  store.transaction(() => {
    for (let n = 0; n < 60; n++) {
      aGoodOne(store);
      for (const project of ['a', 'b', 'c', 'd']) aBackup(store, `${project}-${aContainer().name}`, 'succeeded');
    }
  });
}
