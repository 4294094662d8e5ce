import supertest from 'supertest';
import { offerOn, startHttpOn } from '../support/approval-http';
import { openDom } from '../support/dom';
import { asPerson, type RunningHttp } from '../support/http-app';
import { fieldsOf } from '../support/page-form';
import { nginx, openScene, type Scene } from '../support/scene';

// `PILOT_PUBLIC_URL=https://git.example.org/pilot`: a proxy takes the path away, and the root of the host is another service, which must
// get neither a click nor the token of a link.

const PUBLIC = 'https://git.example.org/pilot';
const dom = openDom();
afterAll(() => dom.close());
let scene: Scene;
let http: RunningHttp;
let offered: Awaited<ReturnType<typeof offerOn>>;
beforeEach(async () => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  http = await startHttpOn(scene);
  offered = await offerOn(scene, 'nginx:stable');
});
afterEach(async () => {
  await http.stop();
  scene.close();
});

const seenAt = (path: string, reference: string): string => new URL(reference, `${PUBLIC}${path}`).href;
const open = (path: string) => supertest(http.url).get(path).set(asPerson).set('Accept', 'text/html');
const press = async (path: string, fields: Record<string, string>): Promise<string> => {
  const post = supertest(http.url).post(path).set(asPerson).set('Accept', 'text/html').type('form');
  return seenAt(path, String((await post.send(fields).expect(303)).headers.location));
};

test('every link and form of a page stays below it', async () => {
  const paths = [
    '/',
    '/?status=&container=none',
    `/updates/${offered.update.id}`,
    offered.link,
    '/no',
    '/no/such/page',
  ];
  const found = await Promise.all(paths.map(async (path) => [path, (await open(path)).text] as const));
  let checked = 0;
  for (const [path, html] of found) {
    const { links, marks } = await dom.read(html);
    const forms = marks.flatMap((mark) => /^form action=(.*)$/s.exec(mark)?.[1] ?? []);
    for (const reference of [...links, ...forms]) expect(seenAt(path, reference)).toMatch(`${PUBLIC}/`);
    checked += links.length + forms.length;
  }
  expect(checked).toBeGreaterThan(15);
  for (const [path, html] of found.slice(2)) {
    const home = (await dom.read(html)).links.map((link) => seenAt(path, link)).includes(`${PUBLIC}/`);
    expect([path, home]).toEqual([path, path !== offered.link]);
  }
});

test('the button behind a link leads to the same address', async () => {
  expect(await press(offered.link, { decision: 'approve' })).toBe(`${PUBLIC}${offered.link}`);
});

test('a button of the operator page leads back to that page', async () => {
  const fields = fieldsOf((await open('/')).text, 'decline', offered.update.id);
  expect(await press('/actions/decline', fields)).toBe(`${PUBLIC}/?done=decline`);
});
