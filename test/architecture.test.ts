import { readdirSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

const sources = ['engine', 'plugins', 'strategies'].flatMap((folder) =>
  readdirSync(resolve(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
)

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
  readonly lazy: boolean
}

const IMPORT = /^(?:import|export)\s+(type\s+)?[^;]*?from\s+'([^']+)'|import\('([^']+)'\)|^import\s+'([^']+)'/gms

function importsOf(file: string): Import[] {
  const text = readFileSync(resolve(root, file), 'utf8')
  return [...text.matchAll(IMPORT)].map(([, type, from, lazy, bare]) => {
    const target = from ?? lazy ?? bare
    const to = target.startsWith('.') ? relative(root, resolve(root, dirname(file), target)).replaceAll('\\', '/') : target
    return { from: file, to, typeOnly: type !== undefined, lazy: lazy !== undefined }
  })
}

const imports = sources.flatMap(importsOf)
const inside = imports.filter(({ to }) => sources.includes(to))

/** Floors of the house: imports point down or stay on their own. */
const FLOORS: readonly (readonly [string, RegExp])[] = [
  ['core', /^engine\/(core\/|errors\.ts)/],
  ['ports', /^engine\/(ports|options)\.ts/],
  ['middle', /^(engine\/(pipeline|recording|audit)\/|engine\/(registry|expectation)\.ts|plugins\/|strategies\/)/],
  ['session', /^engine\/session\//],
  ['above', /^engine\/(compare|report|server|config)\//],
  ['assemble', /^engine\/(?:explain\/|runs\/)|^engine\/(answers|assemble|autonomous|banner|bot-log|cockpit|flight-check|fully-autonomous|live-broker|real-clock|trader|record|record-asking|record-estimate|recordings|providers|provider-trial|backtest|check-strategy|clocks|download|recorded-run|compare|compare-directory|compare-jobs|compare-pass|compare-window|compare-worker|walkforward|probe|describe|live|parity|parity-cause|rehearse|rehearsals|replay|verify|version|tape|venue|positions|panic|close|doctor|exchange|announce|serve|shadows)\.ts/],
  ['top', /^engine\/(cli\/|index\.ts)/],
]
const floorOf = (file: string): number => FLOORS.findIndex(([, pattern]) => pattern.test(file))

const show = ({ from, to }: Import): string => `${from} → ${to}`

describe('the house', () => {
  it('has a floor for every file', () => {
    expect(sources.length).toBeGreaterThan(40)
    expect(sources.filter((file) => floorOf(file) < 0)).toEqual([])
  })

  it('resolves every relative import', () => {
    expect(imports.filter(({ to }) => /^(engine|plugins|strategies)\//.test(to) && !sources.includes(to)).map(show)).toEqual([])
  })

  it('lets imports point one way', () => {
    const manifests = new Set(['plugins/index.ts', 'strategies/index.ts'])
    expect(inside.filter(({ from, to }) => floorOf(from) < floorOf(to) && !manifests.has(from)).map(show)).toEqual([])
  })

  it('keeps the core free of packages and of Node', () => {
    const foreign = imports.filter(({ from, to }) => from.startsWith('engine/core/') && !to.startsWith('engine/core/') && to !== 'engine/errors.ts')
    expect(new Set(foreign.map(show))).toEqual(new Set(['engine/core/indicator-catalogue.ts → technicalindicators']))
  })

  it('imports technicalindicators in one file, and only when it is needed', () => {
    const users = imports.filter(({ to, typeOnly }) => to.startsWith('technicalindicators') && !typeOnly)
    expect(new Set(users.map(({ from }) => from)).size).toBe(1)
    expect(users.length).toBeGreaterThan(0)
    expect(users.every(({ lazy }) => lazy)).toBe(true)
  })

  it('lets a plugin import ports, core, errors, its own parts and one package beside zod', () => {
    const plugins = imports.filter(({ from }) => from.startsWith('plugins/') && from !== 'plugins/index.ts')
    const allowed = ({ from, to }: Import): boolean =>
      /^engine\/(ports\.ts|options\.ts|errors\.ts|core\/)/.test(to) || to.startsWith('node:') || !sources.includes(to) || familyOf(from) === familyOf(to)
      || (from.startsWith('plugins/provider/') && to.startsWith('plugins/service/'))
    expect(plugins.filter((one) => !allowed(one)).map(show)).toEqual([])
    for (const family of new Set(plugins.map(({ from }) => familyOf(from)))) {
      const packages = plugins.filter(({ from, to }) => familyOf(from) === family && !sources.includes(to) && !to.startsWith('node:'))
      expect(new Set(packages.map(({ to }) => to)).size, family).toBeLessThanOrEqual(2)
    }
  })

  it('loads the SDK of an AI service only when somebody is asked', () => {
    const sdks = imports.filter(({ from, to }) => /^plugins\/(provider|service)\//.test(from) && !/^(engine|plugins|node:)|^zod$/.test(to))
    expect(sdks.filter(({ lazy }) => lazy).map(({ to }) => to).sort()).toEqual(['@anthropic-ai/sdk', '@google/generative-ai', 'openai'])
    expect(sdks.filter(({ typeOnly, lazy }) => !typeOnly && !lazy).map(show)).toEqual([])
  })

  it('lets a strategy import core and ports only', () => {
    const strange = imports.filter(({ from, to }) =>
      from.startsWith('strategies/') && from !== 'strategies/index.ts' && !/^engine\/(ports\.ts|core\/)/.test(to) && to !== 'zod')
    expect(strange.map(show)).toEqual([])
  })

  it('names plugins and strategies only in their manifests, and the manifests only in the composition root', () => {
    const users = inside.filter(({ from, to }) => /^(plugins|strategies)\//.test(to) && !/^(plugins|strategies)\//.test(from))
    expect([...new Set(users.map(show))].sort()).toEqual([
      'engine/assemble.ts → plugins/index.ts', 'engine/assemble.ts → strategies/index.ts',
    ])
  })

  it('keeps the page to itself: it runs in a browser, and the engine does not', () => {
    const page = (file: string): boolean => file.startsWith('engine/server/dashboard/')
    expect(imports.filter(({ from, to }) => page(from) !== page(to) && (page(to) || /^(engine|plugins|strategies|node:)/.test(to))).map(show)).toEqual([])
  })

  it('has no circles between files', () => {
    const graph = new Map(sources.map((file) => [file, inside.filter(({ from, typeOnly }) => from === file && !typeOnly).map(({ to }) => to)]))
    const done = new Set<string>()
    const circles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      else if (!done.has(file)) {
        for (const next of graph.get(file) ?? []) visit(next, [...path, file])
        done.add(file)
      }
    }
    for (const file of sources) visit(file, [])
    expect(circles).toEqual([])
  })

  it('knows no mode in the loop', () => {
    for (const file of sources.filter((name) => /^engine\/(core|pipeline|session)\//.test(name))) {
      const code = readFileSync(resolve(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
      expect(code, file).not.toMatch(/backtest|dryRun|isLive|sandbox/i)
    }
  })

  it('has stop and target arithmetic in one file', () => {
    const elsewhere = sources.filter((file) => {
      const code = readFileSync(resolve(root, file), 'utf8')
      return file !== 'engine/core/matching.ts' && /low\s*<=\s*\w*\.?stop|high\s*>=?\s*\w*\.?target/i.test(code)
    })
    expect(elsewhere).toEqual([])
  })
})

/**
 * A plugin and the folder of its parts belong together: `plugins/market/candle-replay`. What connects to one venue is one
 * family across the kinds, since candles and orders are asked for in the same way; so is the practice exchange. What AI
 * services have in common, whatever they speak, is `plugins/service`, and theirs to use. Notifiers deliver in the same way.
 */
function familyOf(file: string): string {
  if (/^plugins\/(?:\w+\/)?binance\b/.test(file)) return 'binance'
  if (file.startsWith('plugins/exchange/')) return 'exchange'
  if (file.startsWith('plugins/service/')) return 'service'
  if (file.startsWith('plugins/notifier/')) return 'notifier'
  return file.split('/').slice(0, 3).join('/').replace(/\.ts$/, '')
}
