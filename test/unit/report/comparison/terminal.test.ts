import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Comparison } from '../../../../engine/compare/comparison.ts'
import { renderComparison } from '../../../../engine/report/comparison/terminal.ts'
import { displayWidth } from '../../../../engine/report/text.ts'
import { comparisonFixture } from '../../../support/comparison-fixture.ts'

const { comparison } = comparisonFixture()
const at = (width: number, changed: Partial<Comparison> = {}, colour = false): string => renderComparison({ ...comparison, ...changed }, { colour, width })
const oneLine = (text: string): string => text.replace(/\s+/g, ' ')
const HOSTILE = 'two\nlines\u001B[2J\u001B]0;title\u0007\u009B31m \u202Eback'

describe.each([40, 60, 80, 100, 170, 250])('renderComparison at %i columns', (width) => {
  const text = at(width)

  it('stays within the width, without spaces at line ends', () => {
    for (const line of text.split('\n').filter((one) => !one.startsWith('Comparison '))) {
      expect(displayWidth(line)).toBeLessThanOrEqual(Math.min(width, 180))
      expect(line).toBe(line.trimEnd())
    }
  })

  it('shows name, return, interval, trades and marks of every cell, whatever else there is room for', () => {
    for (const cell of comparison.cells) {
      const percent = (value: number): string => `${value > 0 && /[1-9]/.test(value.toFixed(4)) ? '+' : ''}${(value * 100).toFixed(2)}`.replace(/^-(0\.00)$/, '$1')
      const name = `${cell.provider} · ${cell.policy.minConfidence}`
      const interval = cell.interval === null ? '(too short)' : `[${percent(cell.interval.low)}, ${percent(cell.interval.high)}]`
      expect(oneLine(text)).toContain(`${name} ${percent(cell.netReturn)} % ${interval} ${cell.figures.trades} `)
    }
  })

  it('says which columns have no room, and what marks mean', () => {
    const gone = ['Beats random', 'p95 latency', 'AI cost', 'Ambiguous', 'Coverage', 'Brier skill', 'Sharpe', 'Drawdown']
    const head = /providers · minConfidence\s+(Net return.*)$/m.exec(text)?.[1] ?? ''
    const said = /No room for (.*?): --markdown and the page show them/.exec(oneLine(text))?.[1]?.split(', ') ?? []
    expect(said.toSorted()).toEqual(gone.filter((title) => !head.includes(title)).toSorted())
    // The least important go first.
    expect(new Set(said)).toEqual(new Set(gone.slice(0, said.length)))
    expect(oneLine(text)).toContain('★ best (1 cell): highest net return of this window')
    expect(oneLine(text)).toContain('? dubious (1 cell): what luck makes of 37 trials is as good')
  })
})

describe('renderComparison', () => {
  const text = at(170)
  const flat = oneLine(text)

  it('writes a cell, a cell without trades and the baselines exactly', () => {
    const rows = text.split('\n')
    const row = (start: string): string => rows.find((line) => line.startsWith(start))?.replace(/ {2,}/g, ' | ') ?? ''
    expect(row('★?▷ gemini · 0.6')).toBe('★?▷ gemini · 0.6 | +23.71 % [+15.61, +33.03] | 160 | -4.93 % | 4.70 | +0.054 | 50.0 % | 2.46 USD | 1.900 s | 2 [+23.31, +24.32] | 86.0 %')
    expect(row('▷   gemini · 0.9')).toBe('▷ | gemini · 0.9 | 0.00 % (too short) | 0 | 0.00 % | – | +0.054 | 12.5 % | 2.46 USD | 1.930 s | 0 | –')
    expect(row('=   Buy and hold')).toBe('= | Buy and hold | -8.31 % | -25.14 %')
    expect(row('=   Flat')).toBe('= | Flat | 0.00 % | 0.00 %')
    expect(row('=   Random entries')).toBe('= | Random entries | -1.23 % [-9.20, +7.11]')
  })

  it('shows badges in words where there is room', () => {
    const one = comparison.cells.filter(({ scenario, provider }) => scenario === 'btc-2022' && provider === 'gemini')
      .map((cell) => ({ ...cell, badges: cell.badges.filter(({ kind }) => kind === 'best'), bounds: null, aiCost: 0 }))
    expect(at(180, { cells: one })).toMatch(/^★ +gemini · 0\.6 .*86\.0 % {2}★ best$/m)
  })

  it('says what all cells share once', () => {
    expect(flat).toContain('· All cells: stopLoss 0.05.')
    expect(text).not.toMatch(/0\.6 · 0\.05/)
  })

  it('tells luck from skill below the matrix', () => {
    for (const said of [
      'Verdict: The best of 37 trials is no better than luck would make it.',
      'Trials: 37 distinct trials on these candles so far, worth 6.4 independent ones.',
      'Best Sharpe by luck: 0.084 a day (1.61 a year)',
      '! Deflated Sharpe: 41.2 % by all trials, 63.3 % by independent ones',
      'Overfitting: 33.3 % probability', '(9 cells, 3 left out without variance, 16 blocks)',
      '! Reality check: p = 0.2314 against flat, over 12 cells: the best is no more than luck explains.',
      '! Track record: 733 days needed to tell the best from 0, 200 days there.',
      'Minimum backtest: 1.92 years', 'Overfitting: not told: too few days or cells.',
    ]) expect(flat).toContain(said)
  })

  it('compares on the same days, what decides first', () => {
    const pairs = flat.slice(flat.indexOf('Paired differences'))
    expect(pairs).toMatch(/^Paired differences, same days ─+ · btc-2022 · gemini · 0\.6 − buy and hold: \+0\.121 % a day \[\+0\.061, \+0\.191\] over 200 days: better/)
    expect(pairs).toContain('over 200 days: no significant difference')
    expect(pairs).toContain('over 20 days: too short')
    expect(pairs).toContain('more in --markdown and on the page.')
  })

  it('says what refusing cost, how confidences fared, what asking again and two providers are worth', () => {
    expect(flat).toContain('already-in-position, entries: 31 refusals, 29 with a known outcome (2 open or untold); would have earned -0.12 % a bet, -3.48 % of one bet’s stake in all, 49 % would have won: the rule paid.')
    expect(flat).toContain('cooldown, entries: 4 refusals, 0 with a known outcome (4 open or untold).')
    expect(flat).toContain('btc-2022 · gemini: 238 opinions, 231 resolved (worth 18.5 independent ones), 7 censored, 3 ambiguous; Brier 0.2246 [0.2210, 0.2553], skill +0.054 [-0.006, +0.104]')
    expect(flat).toContain('it changed its action in 21 of 240 answers; Brier 0.2412 at first, 0.2385 at last over 204')
    expect(flat).toContain('the same action in 71.3 % of 240 decisions; where they differ and the outcome is known, gemini was right in 53.0 % and openai in 41.0 %.')
    expect(flat).toContain('gemini · 0.5: +0.071 % a day [-0.020, +0.160] over 2 scenarios, 200 days')
  })

  it('says the same without colour', () => {
    const coloured = at(100, {}, true)
    expect(coloured).toContain('\u001B[')
    expect(stripVTControlCharacters(coloured)).toBe(at(100))
    expect(at(100)).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/)
  })

  it('strips what data could do to a terminal', () => {
    const shown = renderComparison(comparisonFixture({ hostile: HOSTILE }).comparison, { colour: false, width: 100, folder: 'runs/x' })
    expect(shown).not.toMatch(/[\u001B\u0007\u009B\u202E]|title/)
    expect(shown).toContain('two lines')
  })

  it('shows a comparison that holds nothing, and one that was interrupted', () => {
    const empty = at(80, { cells: [], windows: [], pairs: [], curves: [], disagreements: [], across: [], assumptions: [], warnings: [], interrupted: true })
    expect(empty).toContain('! interrupted')
    expect(empty).toContain('! Interrupted: cells are missing.')
    expect(empty).not.toMatch(/NaN|Infinity|undefined|null/)
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/)
  })

  it('never loses a cell whose candles are unknown', () => {
    expect(at(100, { windows: [] })).toContain('gemini · 0.6')
  })
})
