import { Narrator } from '../lab/demo/narrator';
import { tour } from '../lab/demo/tour';
import { openStage } from '../support/e2e-stage';

// `npm run demo` is the first thing that a newcomer runs: the same tour, on the lab of the tests.
const stage = openStage();

test('the tour goes to its end: an update, a rollback, and an approval by the link of the mail', async () => {
  const lines: string[] = [];
  const lab = { ...stage.lab, atEnd: (_what: string, close: () => unknown) => Promise.resolve(stage.closing(close)) };
  await tour(lab, new Narrator((line) => lines.push(line)), false);
  const told = lines.join('\n');
  expect(told).toMatch(/ succeeded .* runs .*demo\/nginx:stable and is healthy/);
  expect(told).toMatch(/ rolled_back .* the old container is running again/);
  expect(told).toMatch(/ succeeded .* runs .*demo\/app:stable and is healthy/);
  expect(told).toContain('"version": "2.0.0"');
});
