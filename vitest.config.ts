import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    setupFiles: ['test/support/network-guard.mjs'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    sequence: { shuffle: true },
    // Two cores are what the suite is measured for. Much of it waits for processes, so that a third file finds time.
    maxWorkers: 3,
    reporters: [process.env['CI'] ? 'default' : 'dot', './test/support/closing-line.ts'],
  },
})
