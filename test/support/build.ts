import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** End-to-end tests start the compiled program, so it is compiled once before any test runs. */
export default function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  execFileSync(process.execPath, ['build.mjs'], { cwd: root, stdio: 'inherit' })
}
