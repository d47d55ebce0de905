import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** What a page is made of, each list in the order in which its files build on each other. */
const PAGES = {
  run: {
    styles: ['base', 'parts', 'adapt'],
    scripts: ['theme', 'keys', 'trade-marks', 'price-chart', 'equity-chart', 'sortable', 'trades-table', 'main'],
    library: true,
  },
  comparison: {
    styles: ['base', 'parts', 'adapt', 'comparison/comparison'],
    scripts: [
      'theme', 'sortable', 'comparison/svg', 'comparison/curves', 'comparison/reliability', 'comparison/equity', 'comparison/candles',
      'comparison/decisions', 'comparison/matrix', 'comparison/main',
    ],
    library: false,
  },
  'side-by-side': { styles: ['base', 'parts', 'adapt', 'side-by-side'], scripts: [], library: false },
} as const

export type PageKind = keyof typeof PAGES

/** What every page of a kind carries, read once. */
export interface PageAssets {
  readonly style: string
  /** The chart library; null for a page that draws by itself. */
  readonly charts: string | null
  readonly script: string
  /** Source expressions for a content security policy: nothing but these very texts may run or style the page. */
  readonly hashes: { readonly style: string; readonly scripts: readonly string[] }
}

const client = (name: string): string => readFileSync(new URL(`./client/${name}`, import.meta.url), 'utf8')

/** Makes one module of several: a page opened from a disk cannot load modules, and these have no conflicting names. */
const bundle = (names: readonly string[]): string =>
  names.map((name) => client(`${name}.js`).replace(/^import .*\n/gm, '').replace(/^export /gm, '')).join('\n')

/** The chart library's ready-made script. Its package hides the file from `import`, so its folder is found first. */
function library(): string {
  const manifest = createRequire(import.meta.url).resolve('lightweight-charts/package.json')
  return readFileSync(join(dirname(manifest), 'dist', 'lightweight-charts.standalone.production.js'), 'utf8')
}

/** A text that could end its own element would break the page, or worse; our files and the library have none. */
function inert(text: string): string {
  if (/<\/(?:script|style)|<!--/i.test(text)) throw new Error('a page asset contains markup that would end its element')
  return text
}

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const read = new Map<PageKind, PageAssets>()

/** A page's style sheet and scripts. Throws when a file of this package is missing. */
export function pageAssets(kind: PageKind): PageAssets {
  const before = read.get(kind)
  if (before) return before
  const { styles, scripts, library: drawn } = PAGES[kind]
  const style = inert(styles.map((name) => client(`${name}.css`)).join('\n'))
  const script = inert(bundle(scripts))
  const charts = drawn ? inert(library()) : null
  const assets = { style, charts, script, hashes: { style: hash(style), scripts: [...(charts === null ? [] : [hash(charts)]), ...(script === '' ? [] : [hash(script)])] } }
  read.set(kind, assets)
  return assets
}
