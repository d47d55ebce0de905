import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { FIGURE_LABELS, figureText, type FigureKey } from '../../../engine/report/figure-list.ts'
import type { ReportData } from '../../../engine/report/report-data.ts'
import { renderTerminal } from '../../../engine/report/terminal.ts'
import { displayWidth } from '../../../engine/report/text.ts'
import { rehearsed, reportFixture } from '../../support/report-fixture.ts'

const data = reportFixture({ candles: 2_000 })
const at = (width: number, changed: Partial<ReportData> = {}, colour = false): string =>
  renderTerminal({ ...data, ...changed }, { colour, width })
const oneLine = (text: string): string => text.replace(/\s+/g, ' ')

/** All but the run's id, which is never cut or wrapped. */
const linesOf = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('Run   '))

const NASTY = 'two\nlines\u001B[2J\u001B]0;title\u0007 \u202Eback'

describe.each([40, 60, 80, 100, 200])('renderTerminal at %i columns', (width) => {
  const text = at(width)

  it('stays within the width, without spaces at line ends', () => {
    for (const line of linesOf(text)) {
      expect(displayWidth(line)).toBeLessThanOrEqual(Math.min(width, 112))
      expect(line).toBe(line.trimEnd())
    }
    expect(text.endsWith('\n')).toBe(false)
  })

  it('tells a rehearsal from a backtest, how it went and what is still held', () => {
    const shown = at(width, rehearsed)
    for (const line of linesOf(shown)) expect(displayWidth(line)).toBeLessThanOrEqual(Math.min(width, 112))
    expect(shown).toMatch(width >= 60 ? /\[Rehearsal\]/ : /Rehearsal ─/)
    expect(text).not.toMatch(/Rehearsal|Open at the end/)
    for (const said of [
      '· Requests: at least 1,234 signed, at least 56 public', '· Faults asked for: lost-answer:0.05, server-error:0.02:on=POST /order',
      '· Alarms: 4: naked 3, venue-unreachable 1', '· Restarts: 2 restarts', '· Halts: 2',
      '· ETH/USDT: 0.25 since ', 'at 2,301.50; last close 2,311.50, unrealised +2.50 USDT',
    ]) expect(oneLine(shown)).toContain(said)
  })

  it('shows every figure with its unit', () => {
    for (const key of Object.keys(FIGURE_LABELS) as FigureKey[]) {
      const value = figureText(data.figures, key, data.quote).replace(/[.+*]/g, '\\$&')
      expect(text).toMatch(new RegExp(`${FIGURE_LABELS[key].label} +${value}(\\s|$)`, 'm'))
    }
  })

  it('keeps to the width with long names and wide characters', () => {
    const long = '比特币 a very long name '.repeat(12)
    const filled = at(width, {
      name: long, symbols: [long], warnings: [long], assumptions: [long], interrupted: true,
      decisions: { total: 9, byStatus: { [long]: 9 }, byReason: { [long]: 9 }, byProvider: { [long]: 9 }, aiAsked: 0, aiFlipped: 0 },
    })
    for (const line of linesOf(filled)) expect(displayWidth(line)).toBeLessThanOrEqual(Math.min(width, 112))
  })
})

describe('renderTerminal', () => {
  it('holds no control character without colour, and says the same with it', () => {
    expect(at(100)).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/)
    const coloured = at(100, {}, true)
    expect(coloured).toContain('\u001B[')
    expect(stripVTControlCharacters(coloured)).toBe(at(100))
  })

  it('strips what data could do to a terminal', () => {
    const text = at(100, {
      name: NASTY, run: NASTY, strategy: NASTY, warnings: [NASTY], assumptions: [NASTY],
      decisions: { total: 1, byStatus: { [NASTY]: 1 }, byReason: {}, byProvider: {}, aiAsked: 0, aiFlipped: 0 },
    })
    expect(text).not.toMatch(/[\u001B\u0007\u009B\u202E]|title/)
    expect(text).toContain('! two lines back')
  })

  it('puts the reason of an undefined figure under the figures', () => {
    const figures = { ...data.figures, sharpe: null, undefinedBecause: { sharpe: 'returns do not vary' } }
    const text = at(100, { figures })
    expect(text).toMatch(/Sharpe ratio +–$/m)
    expect(text).toContain('– Sharpe ratio: returns do not vary')
  })

  it('compares with the baselines, and says why one is missing', () => {
    expect(at(100)).toMatch(/^Buy and hold +[\d,.]+ +[-+][\d.]+ % +-42\.11 % +[-+][\d.]+ pp$/m)
    const buyAndHold = { finalEquity: null, totalReturn: null, note: 'no candle was read' }
    const text = at(60, { baselines: { ...data.baselines, buyAndHold, random: null } })
    expect(text).toContain('– Buy and hold: no candle was read')
    expect(text).not.toContain('Random entries')
  })

  it('marks warnings and a threshold below break-even with more than colour', () => {
    const text = oneLine(at(60))
    expect(text).toContain('without skill 62.50 % · break-even 66.25 % · threshold 60.00 %')
    expect(text).toContain('! The threshold is below break-even')
    for (const warning of data.warnings) expect(text).toContain(`! ${warning}`)
    const breakEven = { ...data.breakEven, baseRate: null, breakEven: null }
    expect(oneLine(at(60, { breakEven })))
      .toContain('threshold 60.00 % · No break-even: the policy has no stop or no target.')
    expect(at(60, { interrupted: true })).toContain('! interrupted')
  })

  it('ends with the run, its time and its paths, whole', () => {
    const directory = `/tmp/${'long/'.repeat(30)}runs`
    const text = renderTerminal(data, {
      colour: false, width: 60, directory, reportPath: `${directory}/report.html`,
      elapsed: { elapsedMs: 103.21, candlesPerSecond: 9_500_123.4 },
    })
    expect(text.split('\n').slice(-4)).toEqual([
      `Run        ${data.run}`, 'Time       103.2 ms in the loop, 9,500,123 candles/s', `Directory  ${directory}`,
      `Report     ${directory}/report.html`,
    ])
  })

  it('shows a run in which nothing happened', () => {
    const empty = reportFixture({ candles: 30, entryChance: 0 })
    const decisions = { total: 0, byStatus: {}, byReason: {}, byProvider: {}, aiAsked: 0, aiFlipped: 0 }
    const text = renderTerminal({ ...empty, decisions, bounds: null }, { colour: false, width: 80 })
    expect(text).toContain('– Win rate: no closed trades')
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/)
  })
})
