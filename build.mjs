// Compiles engine, plugins and strategies to dist/ and puts the report page's assets and the dashboard beside them.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
// Beside the old build, which stays as it is when this one fails.
const fresh = `${root}dist.new`
rmSync(fresh, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`, '--outDir', fresh], { stdio: 'inherit' })
const page = 'engine/report/page'
cpSync(`${root}${page}`, `${fresh}/${page}`, { recursive: true, filter: (name) => !/\.ts$/.test(name) })
const dashboard = 'engine/server/dashboard'
await build({
  root: `${root}${dashboard}`,
  configFile: false,
  logLevel: 'warn',
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: `${fresh}/${dashboard}`,
    emptyOutDir: false,
    // The names and terms of those whose code is in the page.
    license: { fileName: 'licences.md' },
    // The page's policy allows no script and no image inside its HTML.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
chmodSync(`${fresh}/engine/cli/main.js`, 0o755)
rmSync(`${root}dist`, { recursive: true, force: true })
renameSync(fresh, `${root}dist`)
