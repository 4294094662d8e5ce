/* global expect, jest */
// A deadline only ends what hangs. It is no measure of speed: a slow machine must never miss it.
const onEngine = /\/test\/(e2e|field)\//.test(expect.getState().testPath ?? '');
jest.setTimeout(onEngine ? 1_800_000 : 600_000);

// Jest compares buffers byte by byte in JavaScript: two dumps of 200 kB take it 0.3 s, and a crash table compares hundreds.
expect.addEqualityTesters([(a, b) => (Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : undefined)]);
