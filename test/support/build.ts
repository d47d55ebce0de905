import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { madeFolder, root } from './shared.ts'

const SOURCES = ['engine', 'plugins', 'strategies', 'build.mjs', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']

/** End-to-end tests start the compiled program, so it is compiled before any test runs, unless it is newer than all it is made of. */
export default function setup(): () => void {
  const built = statSync(join(root, 'dist'), { throwIfNoEntry: false })?.birthtimeMs ?? 0
  if (!SOURCES.every((name) => newest(join(root, name)) < built)) execFileSync(process.execPath, ['build.mjs'], { cwd: root, stdio: 'inherit' })
  return () => { rmSync(madeFolder(process.pid), { recursive: true, force: true }) }
}

/** When anything at or below a path last changed, in ms. A folder changes when a file in it comes or goes. */
function newest(path: string): number {
  const found = statSync(path)
  const below = found.isDirectory() ? readdirSync(path).map((name) => newest(join(path, name))) : []
  return Math.max(found.mtimeMs, ...below)
}
