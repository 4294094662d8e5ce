import { readLabels } from '../../../../src/domain/labels/read-labels';

const read = (verify: string) => readLabels({ 'update.policy': 'automatic', 'update.verify': verify });

test('update.verify names who must have signed', () => {
  expect(read('key:/keys/cosign.pub')).toMatchObject({
    policy: 'automatic',
    verify: { kind: 'key', path: '/keys/cosign.pub' },
    problems: [],
  });
  expect(read('off').verify).toEqual({ kind: 'off' });
});

test('one that cannot be read makes every update wait for approval', () => {
  expect(read('key:cosign.pub')).toMatchObject({
    policy: 'manual',
    problems: [{ label: 'update.verify', message: expect.stringMatching(/absolute path.*needs approval/) }],
  });
});
