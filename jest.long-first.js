const { default: Sequencer } = require('@jest/test-sequencer');

/** `*.long.test.ts` begin before all others: else, on a fresh clone, one of them runs last, with nothing beside it. */
module.exports = class LongFirst extends Sequencer {
  sort(tests) {
    const long = ({ path }) => (path.includes('.long.test.') ? 0 : 1);
    return super.sort(tests).sort((a, b) => long(a) - long(b));
  }
};
