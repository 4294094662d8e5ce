// One project per kind of test; `npm run test:fast` runs those that need no engine.
// Times in sentences are in the operator's zone; here it is the same on every machine.
process.env.TZ = 'UTC';

const base = {
  setupFilesAfterEnv: ['<rootDir>/jest.setup.js'],
  testEnvironment: 'node',
  transform: {
    '^.+\\.tsx?$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', tsx: true },
          transform: { react: { runtime: 'automatic', importSource: 'preact' } },
          target: 'es2022',
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.lab/', '<rootDir>/data/'],
};
const kinds = ['unit', 'workflow', 'http', 'contract', 'integration', 'architecture'];
const project = (displayName, testMatch, ignored = []) => ({
  ...base,
  displayName,
  testMatch: [`<rootDir>/test/${testMatch}`],
  testPathIgnorePatterns: [...base.testPathIgnorePatterns, ...ignored],
});

module.exports = {
  testSequencer: '<rootDir>/jest.long-first.js',
  projects: [
    ...kinds.map((kind) => project(kind, `${kind}/**/*.test.ts?(x)`)),
    // Files of end-to-end tests run side by side on one engine.
    project('e2e', 'e2e/**/*.test.ts', ['\\.(alone|second-engine)\\.test\\.ts$']),
    // On a second engine, of which the lab has one for a Swarm and one for all else: one file of each at a time, beside the others.
    project('e2e-second-engine', 'e2e/**/*.second-engine.test.ts', ['/swarm[^/]*$']),
    project('e2e-swarm', 'e2e/**/swarm*.second-engine.test.ts'),
    // With a browser that must not notice that a network of the host changes: with nothing beside them.
    project('e2e-alone', 'e2e/**/*.alone.test.ts'),
    // Reports of real users: on the real engine, and `*.fast.test.ts` on fakes.
    project('field', 'field/**/*.test.ts', ['\\.fast\\.test\\.ts$']),
    project('field-fast', 'field/**/*.fast.test.ts'),
  ],
};
