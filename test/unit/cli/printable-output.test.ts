import { HOSTILE } from '../../support/hostile-strings';
import { runOn } from '../../support/cli-app';
import { openScene, type Scene } from '../../support/scene';

// Everything that a command prints passes one place, so it is enough to show the ways in: an error, a table, a document.
// eslint-disable-next-line no-control-regex -- they are what must not come
const DECEIVES = /[\p{Cf}\p{Cs}\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/u;

let scene: Scene;
beforeEach(() => (scene = openScene()));
afterEach(() => scene.close());

test.each(HOSTILE.filter((text) => DECEIVES.test(text)).map((text) => [JSON.stringify(text), text]))(
  'no command prints what deceives: %s',
  async (_shown, text) => {
    for (const args of [
      ['update', `x${text}`],
      ['update', `x${text}`, '--json'],
      ['approve', text],
      ['restore', text],
      [`x${text}`],
    ]) {
      const { stdout, stderr, code } = await runOn(scene, args, { isTTY: true });
      expect(code).not.toBe(0);
      expect(stdout.replaceAll('\r\u001b[K', '') + stderr).not.toMatch(DECEIVES);
    }
  },
);
