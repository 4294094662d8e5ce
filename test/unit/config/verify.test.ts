import { settingsSchema } from '../../../src/config/schema';
import { rulesOf } from '../../../src/config/rules';

const parse = (text: string) => settingsSchema.shape.PILOT_VERIFY.safeParse(text);

test('PILOT_VERIFY takes the values of the label update.verify', () => {
  expect(parse('off').data).toEqual({ kind: 'off' });
  expect(parse('key:/keys/cosign.pub').data).toEqual({ kind: 'key', path: '/keys/cosign.pub' });
  expect(parse('yes').error?.issues[0]?.message).toMatch(/must be key:/);
});

test('an identity needs a trusted root', () => {
  const identity = parse('identity:.+@https://accounts.google.com').data;
  const problems = (...given: string[]) => rulesOf({ PILOT_VERIFY: identity }, new Set(given));
  expect(problems()).toEqual([
    {
      name: 'PILOT_TRUSTED_ROOT',
      message: expect.stringMatching(/is required, because PILOT_VERIFY starts with "identity:"/),
    },
  ]);
  expect(problems('PILOT_TRUSTED_ROOT')).toEqual([]);
});
