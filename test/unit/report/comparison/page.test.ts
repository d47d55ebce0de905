import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { PassDetail } from '../../../../engine/compare/comparison.ts'
import { renderComparisonPage } from '../../../../engine/report/comparison/page.ts'
import { comparisonFixture } from '../../../support/comparison-fixture.ts'

const EVIL = '</script><img src=x onerror="alert(1)"><!--\u2028\u0007\u001B[31m\'&'

const withoutAssets = (page: string): string =>
  page.replace(/<style>[^]*?<\/style>/, '').replace(/<script(?: type="module")?>[^]*?<\/script>/g, '')
const DATA = /<script type="application\/json" id="report-data">([^]*?)<\/script>/
const textOf = (html: string): string => html.replace(DATA, '').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

interface Embedded {
  readonly words: readonly string[]
  readonly step: number
  readonly cells: readonly { readonly name: string; readonly growth: readonly number[]; readonly days: number; readonly pass: number | null }[]
  readonly passes: readonly {
    readonly opinions: readonly (readonly unknown[])[]
    readonly charts: readonly { readonly close: readonly number[] }[]
    readonly decisions: Readonly<Record<string, readonly (readonly [number, number, number, number | null])[]>>
  }[]
}
const dataOf = (page: string): Embedded => JSON.parse(DATA.exec(page)?.[1] ?? '') as Embedded

describe('renderComparisonPage', () => {
  const { comparison, details } = comparisonFixture()
  let page: string
  let own: string
  beforeAll(() => {
    page = renderComparisonPage(comparison, details)
    own = withoutAssets(page)
  })

  it('gives the same bytes for the same comparison, whenever it is asked', () => {
    vi.useFakeTimers({ now: Date.UTC(2001, 0, 1) })
    try {
      const again = comparisonFixture()
      expect(renderComparisonPage(again.comparison, again.details)).toBe(page)
    } finally {
      vi.useRealTimers()
    }
  })

  it('loads nothing and runs nothing but its own script, known by its hash', () => {
    expect(own).not.toMatch(/https?:|\ssrc=|srcset=|@import|url\(|\son\w+=|\sstyle=/)
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? ''
    const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    const scripts = [...page.matchAll(/<script(?: type="module")?>([^]*?)<\/script>/g)].map(([, text]) => hash(text))
    expect(scripts).toHaveLength(1)
    expect(policy).toBe(`default-src 'none'; script-src ${scripts[0]}; style-src ${hash(/<style>([^]*?)<\/style>/.exec(page)?.[1] ?? '')}; img-src data:; base-uri 'none'; form-action 'none'`)
  })

  it('has a row for every cell and baseline, with every figure and what it is sorted by', () => {
    expect(own.match(/<tr data-cell="/g)).toHaveLength(comparison.cells.length)
    expect(own.match(/<tr class="quiet"/g)).toHaveLength(6)
    const row = /<tr data-cell="1"[^]*?<\/tr>/.exec(own)?.[0] ?? ''
    expect(textOf(row)).toBe(' Draw the equity of gemini · 0.6, btc-2022 gemini · 0.6 btc-2022 ★ best ? dubious ▷ after cut-off '
      +'+23.71 % [+15.61, +33.03] 160 −4.93\u00A0% 4.70 +0.054 50.0\u00A0% 2.46 USD 1.900 s 2 [+23.31, +24.32] 86.0\u00A0% '.replaceAll('\u00A0', ' '))
    expect(row).toContain(`data-v="${comparison.cells[1].netReturn}"`)
    const nothing = /<tr data-cell="3"[^]*?<\/tr>/.exec(own)?.[0] ?? ''
    expect(textOf(nothing)).toContain('0.00 % (too short) 0 0.00 % –')
    expect(nothing).toContain('data-v="">–')
  })

  it('says what luck explains, and everything else that is below the matrix', () => {
    const text = textOf(own)
    for (const said of [
      'The best of 37 trials is no better than luck would make it.', '! Reality check', 'p = 0.2314 against flat', 'worth 6.4 independent ones',
      'btc-2022 · gemini · 0.6 − buy and hold', 'no significant difference', '▲ better', '! cost money', 'Actions of gemini by those of openai',
      'it changed its action in 21 of 240 answers', 'Intervals: stationary bootstrap', 'may have seen a part of these candles', 'stopLoss 0.05',
    ]) expect(text).toContain(said)
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/)
  })

  it('embeds numbers of at most six significant digits and decisions by the number of their cell', () => {
    const data = dataOf(page)
    const numbers = (DATA.exec(page)?.[1] ?? '').replace(/"(?:[^"\\]|\\.)*"/g, '').match(/-?\d+\.\d+/g) ?? []
    for (const number of numbers) expect(number.replace(/^-?(?:0\.0*)?|\./g, '').length, number).toBeLessThanOrEqual(6)
    const decisions = data.passes[0].decisions['1']
    expect(decisions).toHaveLength(details[0].opinions.length)
    const [opinion, status, reason, earned] = decisions[12]
    const real = details[0].decisions[comparison.cells[1].id][12]
    expect([opinion, data.words[status], reason < 0 ? null : data.words[reason], earned]).toEqual([real.opinion, real.status, real.reason, real.earned])
  })

  it('escapes whatever stands in names, reasons and answers', () => {
    const evil = comparisonFixture({ hostile: EVIL })
    const hurt = withoutAssets(renderComparisonPage(evil.comparison, evil.details))
    expect(hurt).not.toMatch(/<img|<!--|[\u0007\u001B\u2028]/)
    expect(hurt.match(/<\/script>/g)).toHaveLength(1)
    expect(JSON.stringify(dataOf(hurt).passes[0].opinions[0])).toContain('</script><img src=x')
  })

  it('shows a comparison of nothing', () => {
    const empty = textOf(withoutAssets(renderComparisonPage({
      ...comparison, cells: [], windows: [], pairs: [], curves: [], disagreements: [], across: [], assumptions: [], warnings: [], interrupted: true,
    }, [])))
    for (const said of ['No candles were compared.', 'Only one threshold was tried.', 'Nobody gave a scored opinion.', 'There is nothing to pair.', 'Nothing was refused.', '! Interrupted']) expect(empty).toContain(said)
  })

  it('stays small and quick with 500 cells and 20,000 candles', () => {
    const large = comparisonFixture({ thresholds: Array.from({ length: 83 }, (_, index) => Math.round(500 + index * 5) / 1000), candles: 20_000, opinions: 500 })
    expect(large.comparison.cells).toHaveLength(500)
    // Equity of many years: as many days as the page keeps are thinned, the last value stays.
    const long = large.comparison.cells.map((cell) => ({ ...cell, dailyEquity: Array.from({ length: 1_500 }, (_, day) => 10_000 + day) }))
    // One pass is enough to look at.
    const passes: readonly PassDetail[] = large.details.slice(0, 1)
    const begun = performance.now()
    const text = renderComparisonPage({ ...large.comparison, cells: long }, passes)
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(text.length).toBeLessThan(8_000_000)
    const data = dataOf(text)
    expect(data.step).toBe(5)
    expect(data.cells[0].growth.at(-1)).toBe(14.99)
    expect(data.passes[0].charts[0].close).toHaveLength(20_000)
  })
})
