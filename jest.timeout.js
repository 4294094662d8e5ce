/* global jest */
// A deadline only ends what hangs. It is no measure of speed: a slow machine must never miss it.
jest.setTimeout(600_000);
