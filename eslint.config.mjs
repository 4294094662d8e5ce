import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '.lab/', 'data/', '*.js', '*.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config/ reads the environment.' },
        { object: 'Date', property: 'now', message: 'Use lib/clock.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "BinaryExpression > Literal[value='engine_unreachable']",
          message: 'Use rethrowEngineLost or isEngineLost of domain/errors.',
        },
      ],
    },
  },
  {
    // Where an adapter of the AWS SDK is made, and only there: it is read when it is used.
    files: ['src/adapters.ts'],
    rules: {
      '@typescript-eslint/no-require-imports': ['error', { allow: ['^\\./adapters/(storage-s3|mail-ses|sigstore)/'] }],
    },
  },
  { files: ['src/config/**'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['src/domain/errors.ts'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['src/lib/clock.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: [
      'src/cli/**',
      'src/main.ts',
      'test/lab/**',
      'test/bench/**',
      'test/simulation/main.ts',
      'test/screenshots/main.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    // Steps of the release pipeline and this file: plain JavaScript for the runner's own Node.
    files: ['scripts/**/*.mjs', 'eslint.config.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, 'no-console': 'off' },
    languageOptions: {
      parserOptions: { projectService: false },
      globals: { process: 'readonly', console: 'readonly', fetch: 'readonly', AbortSignal: 'readonly' },
    },
  },
  {
    // The one script that runs in a browser: plain JavaScript, no types.
    files: ['src/http/pages/assets/*.js'],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, 'no-restricted-properties': 'off' },
    languageOptions: {
      parserOptions: { projectService: false },
      globals: Object.fromEntries(
        ['document', 'location', 'EventSource', 'setInterval', 'setTimeout'].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    // supertest bodies and recorded JSON are `any` by nature.
    files: ['test/**'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
);
