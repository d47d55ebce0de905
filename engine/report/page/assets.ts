import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** In the order in which they build on each other. */
const STYLES = ['base', 'parts', 'adapt']
const SCRIPTS = ['theme', 'keys', 'trade-marks', 'price-chart', 'equity-chart', 'trades-table', 'main']

/** What every page carries, read once. */
export interface PageAssets {
  readonly style: string
  readonly charts: string
  readonly script: string
  /** Source expressions for a content security policy: nothing but these very texts may run or style the page. */
  readonly hashes: { readonly style: string; readonly charts: string; readonly script: string }
}

/** The text of a file of this package, by its address. */
const text = (url: URL): string => readFileSync(url, 'utf8')
const client = (name: string): string => text(new URL(`./client/${name}`, import.meta.url))

/** Makes one module of several: a page opened from a disk cannot load modules, and these have no conflicting names. */
const joined = (modules: readonly string[]): string =>
  modules.map((module) => module.replace(/^import .*\n/gm, '').replace(/^export /gm, '')).join('\n')
const bundle = (): string => joined(SCRIPTS.map((name) => client(`${name}.js`)))

/** The chart library's ready-made script. Its package hides the file from `import`, so its folder is found first. */
function library(): string {
  const manifest = createRequire(import.meta.url).resolve('lightweight-charts/package.json')
  return readFileSync(join(dirname(manifest), 'dist', 'lightweight-charts.standalone.production.js'), 'utf8')
}

/** A page's own style and module, known by their hashes. */
export interface OwnAssets {
  readonly style: string
  readonly script: string
  readonly hashes: { readonly style: string; readonly script: string }
}

/** The style that all pages share with a page's own behind it, and its own modules as one. Throws when a file is missing. */
export function ownAssets(styles: readonly URL[], modules: readonly URL[]): OwnAssets {
  const style = inert([...STYLES.map((name) => client(`${name}.css`)), ...styles.map(text)].join('\n'))
  const script = inert(joined(modules.map(text)))
  return { style, script, hashes: { style: hash(style), script: hash(script) } }
}

/** A text that could end its own element would break the page, or worse; our files and the library have none. */
function inert(text: string): string {
  if (/<\/(?:script|style)|<!--/i.test(text)) throw new Error('a page asset contains markup that would end its element')
  return text
}

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

let assets: PageAssets | undefined

/** The page's style sheet and scripts. Throws when a file of this package is missing. */
export function pageAssets(): PageAssets {
  if (assets) return assets
  const sheet = STYLES.map((name) => client(`${name}.css`)).join('\n')
  const [style, script, charts] = [sheet, bundle(), library()].map(inert)
  const hashes = { style: hash(style), charts: hash(charts), script: hash(script) }
  assets = { style, charts, script, hashes }
  return assets
}
