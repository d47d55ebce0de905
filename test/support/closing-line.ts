import type { Reporter, TestModule } from 'vitest/node'

/** Ends the output with one plain line that any tool can read: `N passed, N failed, N skipped`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0
    let failed = errors.length
    let skipped = 0
    for (const module of modules) {
      let ran = 0
      for (const test of module.children.allTests()) {
        ran++
        const { state } = test.result()
        if (state === 'passed') passed++
        else if (state === 'failed') failed++
        else skipped++
      }
      // A file that could not even be loaded has no tests but has failed.
      if (module.state() === 'failed' && (ran === 0 || module.errors().length > 0)) failed++
    }
    process.on('exit', () => process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`))
  }
}
