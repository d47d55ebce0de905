import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    
    setupFiles: ['test/support/network-guard.mjs'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    sequence: { shuffle: true },
    // Two cores are what the suite is measured for; vitest alone would use one of them.
    maxWorkers: 2,
    reporters: [process.env['CI'] ? 'default' : 'dot', './test/support/closing-line.ts'],
  },
})
