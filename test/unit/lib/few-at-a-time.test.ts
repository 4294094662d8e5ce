import { fewAtATime } from '../../../src/lib/promises';

test('does at most as many at once as it may, and answers in order', async () => {
  let now = 0;
  const seen: number[] = [];
  const answers = await fewAtATime([5, 1, 3, 2, 4], 2, async (item) => {
    seen.push(++now);
    for (let turn = 0; turn < item; turn++) await Promise.resolve();
    now -= 1;
    return item * 10;
  });
  expect(answers).toEqual([50, 10, 30, 20, 40]);
  expect(Math.max(...seen)).toBe(2);
});

test('of nothing nothing comes, and the first rejection is told', async () => {
  expect(await fewAtATime([], 4, () => Promise.reject(new Error('not asked')))).toEqual([]);
  const refuse = (item: number) => (item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item));
  await expect(fewAtATime([1, 2, 3], 2, refuse)).rejects.toThrow('two');
});
