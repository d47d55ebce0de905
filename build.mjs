// Compiles engine, plugins and strategies to dist/ and puts the report page's assets beside them.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
rmSync(`${root}dist`, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' })
const page = 'engine/report/page'
if (existsSync(`${root}${page}`)) cpSync(`${root}${page}`, `${root}dist/${page}`, { recursive: true, filter: (name) => !/\.ts$/.test(name) })
chmodSync(`${root}dist/engine/cli/main.js`, 0o755)
