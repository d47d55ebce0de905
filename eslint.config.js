import tseslint from 'typescript-eslint'

const ambient = (name) => ({ name, message: 'Time, randomness, timers and the process come in through Deps, so that replays are exact.' })

export default tseslint.config(
  { ignores: ['dist/', 'dist.new/', 'node_modules/', 'runs/', 'coverage/', 'engine/report/page/*.js'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js', '*.mjs'] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['engine/core/**/*.ts', 'engine/pipeline/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['process', 'fetch', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'crypto'].map(ambient),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is seeded and comes in through Deps.' },
        { object: 'Date', property: 'now', message: 'The time comes in through Deps.' },
        { object: 'globalThis', message: 'Nothing ambient in the core.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'The time comes in through Deps.' },
        { selector: "CallExpression[callee.name='Date']", message: 'The time comes in through Deps.' },
      ],
      'no-restricted-imports': ['error', { patterns: ['node:*', 'fs', 'os', 'child_process', 'worker_threads'] }],
    },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  { files: ['test/**/*.ts', 'test/**/*.mjs', 'build.mjs'], rules: { 'no-console': 'off' } },
)
