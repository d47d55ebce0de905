import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { count } from '../../../engine/report/format.ts'
import { renderHtml } from '../../../engine/report/html.ts'
import { FIGURE_GROUPS, FIGURE_LABELS, figureText, type FigureKey } from '../../../engine/report/figure-list.ts'
import { typeset } from '../../../engine/report/page/bits.ts'
import { candleAt, pageData } from '../../../engine/report/page/page-data.ts'
import type { ReportData } from '../../../engine/report/report-data.ts'
import { rehearsed, reportFixture } from '../../support/report-fixture.ts'

const small = (): ReportData => reportFixture({ candles: 900 })

const EVIL = '</script><img src=x onerror="alert(1)"><!--\u2028\u0007\'&'

const hostile = (data: ReportData): ReportData => ({
  ...data,
  run: EVIL,
  name: EVIL,
  strategy: EVIL,
  timeframe: EVIL,
  symbols: data.symbols.map((symbol) => symbol + EVIL),
  charts: data.charts.map((chart) => ({ ...chart, symbol: chart.symbol + EVIL })),
  quote: EVIL,
  baselines: {
    buyAndHold: { finalEquity: null, totalReturn: null, note: EVIL },
    flat: { finalEquity: 1, totalReturn: 0, note: EVIL },
    random: { finalEquity: 1, totalReturn: 0, note: EVIL },
  },
  decisions: { total: 3, byStatus: { [EVIL]: 3 }, byReason: { [EVIL]: 3 }, byProvider: { [EVIL]: 3 }, aiAsked: 0, aiFlipped: 0 },
  figures: { ...data.figures, sharpe: null, undefinedBecause: { sharpe: EVIL } },
  assumptions: [EVIL],
  warnings: [EVIL],
})

/** The page without what the package itself put into it, which is script and style. */
const withoutAssets = (page: string): string =>
  page.replace(/<style>[^]*?<\/style>/, '').replace(/<script(?: type="module")?>[^]*?<\/script>/g, '')

const DATA = /<script type="application\/json" id="report-data">([^]*?)<\/script>/
const dataOf = (page: string): unknown => JSON.parse(DATA.exec(page)?.[1] ?? '')

const oneLine = (text: string): string => text.replace(/\s+/g, ' ')
const textOf = (page: string): string => oneLine(withoutAssets(page).replace(DATA, '').replace(/<[^>]*>/g, ' '))

describe('renderHtml', () => {
  let data: ReportData
  let page: string
  beforeAll(() => {
    data = small()
    page = renderHtml(data)
  })

  it('tells a rehearsal from a backtest, how it went and what is still held', () => {
    const other = renderHtml({ ...data, ...rehearsed })
    expect(other).toContain('<span class="badge calm">Rehearsal</span>')
    expect(other).toMatch(/<title>[^<]*rehearsal report<\/title>/)
    expect(other).toContain('<a href="#rehearsal">')
    for (const said of ['at least 1,234 signed', 'lost-answer:0.05', 'naked 3, venue-unreachable 1', '2 restarts', '(maxDrawdown)', 'Open at the end', '2,301.50', '+2.50']) {
      expect(textOf(other)).toContain(said)
    }
    expect(textOf(page)).not.toMatch(/Rehearsal|Open at the end/)
    const hurt = renderHtml({ ...data, open: [{ ...rehearsed.open[0], symbol: EVIL }], rehearsal: { ...rehearsed.rehearsal!, faults: [EVIL], alarms: [[EVIL, 1]] } })
    expect(withoutAssets(hurt)).not.toContain('<img')
  })

  it('gives the same bytes for the same data, whenever it is asked', () => {
    vi.useFakeTimers({ now: Date.UTC(2001, 0, 1) })
    try {
      expect(renderHtml(small())).toBe(page)
    } finally {
      vi.useRealTimers()
    }
  })

  it('loads nothing: no address but the link to the library’s makers, no source attribute, no import', () => {
    const own = withoutAssets(page)
    expect([...own.matchAll(/https?:[^"\s]*/g)].map(String)).toEqual(['https://www.tradingview.com/'])
    expect(own).not.toMatch(/\ssrc=|srcset=|@import|url\(/)
    expect(page).toContain('TradingView Lightweight Charts™ v5.2.1')
    expect(page).toContain('Licensed under Apache License 2.0')
  })

  it('allows exactly its own scripts and style to run', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? ''
    const scripts = [...page.matchAll(/<script(?: type="module")?>([^]*?)<\/script>/g)].map((match) => match[1])
    const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? ''
    expect(scripts).toHaveLength(2)
    for (const text of [...scripts, style]) {
      expect(policy).toContain(`'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    }
    expect(policy).toMatch(/^default-src 'none'; /)
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(withoutAssets(page)).not.toMatch(/\sstyle=|\son[a-z]+=/)
  })

  it('shows every figure with its name', () => {
    const text = textOf(page)
    for (const key of Object.keys(FIGURE_LABELS) as FigureKey[]) {
      expect(text).toContain(FIGURE_LABELS[key].label)
      expect(text).toContain(oneLine(typeset(figureText(data.figures, key, data.quote))))
    }
    expect(FIGURE_GROUPS.flatMap(({ keys }) => keys).sort()).toEqual(Object.keys(FIGURE_LABELS).sort())
    expect(Object.keys(FIGURE_LABELS).sort())
      .toEqual(Object.keys(data.figures).filter((key) => key !== 'undefinedBecause').sort())
  })

  it('shows a dash and the reason for a figure that is undefined', () => {
    const because = { sortino: 'no losing day', calmar: 'no drawdown' }
    const figures = { ...data.figures, sortino: null, calmar: null, undefinedBecause: because }
    const text = textOf(renderHtml({ ...data, figures }))
    expect(text.match(/Sortino ratio – no losing day/g)).toHaveLength(2)
    expect(text).toContain('Calmar ratio – no drawdown')
  })

  it('carries run, period, baselines, bounds, exits, decisions, assumptions and warnings as text', () => {
    const text = textOf(page)
    for (const part of [
      data.run, data.name, 'BTC/USDT, ETH/USDT', '2022-01-03 00:00', 'Buy and hold', 'Flat', 'Random entries',
      'the run beats 87.3', 'Fill-model bounds', 'Target', 'SKIPPED', 'already-in-position', 'technical',
      'Without skill 62.50', 'Break-even 66.25', 'Threshold 60.00', 'The threshold is below break-even',
      ...data.assumptions, ...data.warnings,
    ]) expect(text).toContain(part)
    expect(text).not.toContain('Interrupted')
    expect(textOf(renderHtml({ ...data, interrupted: true }))).toContain('! Interrupted')
  })

  it('says whether the threshold is below break-even, and when there is none', () => {
    const at = (breakEven: number | null): string =>
      renderHtml({ ...data, breakEven: { ...data.breakEven, breakEven } })
    expect(at(0.7)).toContain('panel alert')
    expect(at(0.6)).not.toContain('panel alert')
    expect(at(0.6)).toContain('The threshold is at or above break-even.')
    expect(at(null)).toContain('No break-even')
  })

  it('compounds months to a year in the heat table', () => {
    const dailyEquity = Float64Array.from({ length: 59 }, (_, day) => (day < 31 ? 110 : 99))
    const text = textOf(renderHtml({ ...data, dailyEquity, startCash: 100, firstDay: 18_993 }))
    expect(text).toContain('2022 +10.0 −10.0 · · · · · · · · · · −1.0')
  })

  it('escapes hostile data everywhere', () => {
    const own = withoutAssets(renderHtml(hostile(data)))
    expect(own).not.toMatch(/<img|onerror="/)
    expect(own).not.toMatch(/<!--/)
    expect(own.match(/<\/script>/g)).toHaveLength(1)
    expect(own).not.toContain('\u2028')
    expect(own).toContain('&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&lt;!--')
  })

  it('escapes any name', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => {
      const [, title] = /<title>([^]*?) · Tapedeck run report<\/title>/.exec(renderHtml({ ...data, name })) ?? []
      expect(title).not.toMatch(/[<>"']/)
    }), { numRuns: 25 })
  })

  it('embeds what its script draws', () => {
    expect(dataOf(page)).toEqual(JSON.parse(JSON.stringify(pageData(data))))
  })

  it('lists the first 1,000 trades and says where the others are', () => {
    const many = reportFixture({ symbols: ['BTC/USDT'], candles: 8_000, entryChance: 1, hold: 1 })
    const busy = renderHtml(many)
    expect(many.trades.length).toBeGreaterThan(1000)
    expect(busy.match(/<tr data-trade=/g)).toHaveLength(1000)
    expect(textOf(busy)).toContain(`The first 1,000 of ${count(many.trades.length)} trades; trades.csv`)
    expect(page.match(/<tr data-trade=/g)).toHaveLength(data.trades.length)
  })

  it('says when candles are joined and when not every trade is marked', () => {
    const coarse = reportFixture({ symbols: ['BTC/USDT'], candles: 2_000, chartLimit: 600 })
    expect(textOf(renderHtml(coarse))).toContain('Each bar joins 4 candles of 1h into 4h')
    const busy = reportFixture({ symbols: ['BTC/USDT'], candles: 22_000, entryChance: 1, hold: 1 })
    expect(busy.trades.length).toBeGreaterThan(4_000)
    expect(textOf(renderHtml(busy))).toMatch(/The run has 4,\d{3} trades; up to 4,000 are marked at once\./)
    expect(textOf(page)).not.toMatch(/bar joins|are marked at once/)
  })

  it('renders a run in which nothing happened', () => {
    const empty = reportFixture({ candles: 30, entryChance: 0 })
    const text = textOf(renderHtml({
      ...empty,
      bounds: null,
      baselines: { ...empty.baselines, random: null },
      charts: [],
      dailyEquity: new Float64Array(0),
      decisions: { total: 0, byStatus: {}, byReason: {}, byProvider: {}, aiAsked: 0, aiFlipped: 0 },
      assumptions: [],
      warnings: [],
    }))
    for (const part of [
      'No trade was closed.', 'No position was closed.', 'No decision was made.', 'Random entries were not drawn',
      'too short for a monthly return', 'Win rate – no closed trades',
    ]) expect(text).toContain(part)
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/)
  })
})

describe('pageData', () => {
  it('snaps a trade to the bar that contains it', () => {
    const coarse = reportFixture({ candles: 2_000, chartLimit: 300 })
    const { trades } = pageData(coarse)
    for (let row = 0; row < trades.entry.length; row++) {
      const chart = coarse.charts[coarse.trades.symbol[row]]
      const { entryTime, exitTime } = coarse.trades
      for (const [at, time] of [[trades.entry[row], entryTime[row]], [trades.exit[row], exitTime[row]]]) {
        expect(chart.openTime[at]).toBeLessThanOrEqual(time)
        expect(chart.openTime[at] + chart.stepMs).toBeGreaterThan(time)
      }
    }
  })

  it('finds the last candle that opens at or before a time', () => {
    const opens = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { maxLength: 40 })
    fc.assert(fc.property(opens, fc.integer({ min: -5, max: 510 }), (list, time) => {
      const times = list.sort((a, b) => a - b)
      expect(candleAt(times, time)).toBe(times.findLastIndex((open) => open <= time))
    }))
  })

  it('ignores what a column holds beyond its length, and trades without a chart', () => {
    const data = small()
    const room = { ...data.trades, pnl: Float64Array.of(...data.trades.pnl, 7), length: data.trades.length }
    expect(pageData({ ...data, trades: room })).toEqual(pageData(data))
    const { trades } = pageData({ ...data, charts: data.charts.slice(1) })
    expect(new Set(trades.symbol)).toEqual(new Set([-1, 0]))
  })
})
