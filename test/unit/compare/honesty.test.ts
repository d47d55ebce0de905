import { describe, expect, it } from 'vitest'
import { judgeWindow, type Placed, type ReadWindow } from '../../../engine/compare/honesty.ts'
import type { KeptCell } from '../../../engine/compare/kept.ts'
import { seededRandom } from '../../../engine/core/random.ts'

const DAYS = 200
const FIRST = Date.UTC(2025, 0, 1) / 86_400_000

/** A curve of daily returns around `drift`. */
function curve(drift: number, seed: number): number[] {
  const random = seededRandom(seed)
  const equity = [10_000]
  for (let day = 1; day < DAYS; day++) equity.push(equity[day - 1] * (1 + drift + 0.01 * (random() + random() - 1)))
  return equity
}

const read = { scenario: 's', candles: 'c', buyAndHold: { dailyEquity: curve(0, 1), firstDay: FIRST } } as unknown as ReadWindow

function placed(id: string, dailyEquity: number[], extra: Partial<KeptCell> = {}, more: Partial<Placed> = {}): Placed {
  const netReturn = dailyEquity[DAYS - 1] / dailyEquity[0] - 1
  const kept = {
    id, netReturn, dailyEquity, firstDay: FIRST, figures: { trades: 100, sharpe: 1 }, interval: { low: netReturn / 2, high: netReturn * 2 }, tooShort: null,
    warnings: [], bounds: null, answered: null, model: null, scenario: { policy: {} }, ...extra,
  } as unknown as KeptCell
  return { kept, name: id, labels: {}, scenario: 's', provider: 'technical', setup: id, baseline: false, trial: id, folder: null, ...more }
}

const trialsOf = (cells: readonly Placed[]): { trial: string; candles: string; sharpe: number }[] => cells.map(({ kept: { id } }, index) => ({ trial: id, candles: 'c', sharpe: 0.01 * index }))
const kinds = (cells: readonly Placed[], of: string, trials = trialsOf(cells)): string[] =>
  judgeWindow(read, cells, trials).cells.find(({ id }) => id === of)!.badges.map(({ kind }) => kind)

describe('a cell among others', () => {
  const strong = curve(0.004, 2)
  const weak = curve(0.0001, 3)

  it('is significant when everything speaks for it, and says what it is compared with', () => {
    const cells = [placed('strong', strong), placed('weak', weak)]
    const { window } = judgeWindow(read, cells, trialsOf(cells))
    expect(kinds(cells, 'strong')).toEqual(['best', 'significant'])
    expect(kinds(cells, 'weak')).toEqual([])
    expect(window.verdict).toBe('strong stands out beyond what the best of 2 trials reaches by luck.')
    expect(window.realityCheck!.p).toBeLessThan(0.05)
  })

  it('is not after very many trials, nor with an interval that includes 0, nor when it is a baseline', () => {
    const cells = [placed('strong', strong), placed('weak', weak)]
    const many = [...trialsOf(cells), ...Array.from({ length: 5000 }, (_, index) => ({ trial: `t${index}`, candles: 'c', sharpe: Math.sin(index) }))]
    expect(kinds(cells, 'strong', many)).toEqual(['best'])
    expect(judgeWindow(read, cells, many).window.trials).toBe(5002)
    expect(kinds([placed('strong', strong, { interval: { low: -0.01, high: 1 } }), placed('weak', weak)], 'strong')).toEqual(['best'])
    expect(kinds([placed('strong', strong, {}, { baseline: true }), placed('weak', weak)], 'strong')).toEqual(['baseline'])
    expect(kinds([placed('strong', strong, {}, { baseline: true }), placed('weak', weak)], 'weak')).toContain('best')
  })

  it('is significant only where its model cannot remember the candles', () => {
    const of = (model: string | null, provider = 'anthropic'): string[] => kinds([placed('strong', strong, { model }, { provider }), placed('weak', weak)], 'strong')
    // Training up to 2023-10, 2025-08 and 2025-01-31; candles of 2025-01-01 … 2025-07-19.
    expect(of('gpt-4o-mini', 'openai')).toEqual(['best', 'after cut-off', 'significant'])
    expect(of('gpt-5.4', 'openai')).toEqual(['best', 'before cut-off'])
    expect(of('gemini-2.5-pro', 'gemini')).toEqual(['best', 'spans cut-off'])
    expect(of('unheard-of')).toEqual(['best', 'cut-off unknown'])
    expect(of('simulated-1', 'simulated')).toEqual(['best', 'simulated'])
    const [{ badges }] = judgeWindow(read, [placed('strong', strong, { model: 'gemini-2.5-pro' }, { provider: 'gemini' })], []).cells
    expect(badges.find(({ kind }) => kind === 'spans cut-off')!.why).toMatch(/\(\d+\.\d\d % up to then, \d+\.\d\d % afterwards\)/)
  })

  it('is dubious when questions went unanswered or the fill decides', () => {
    expect(kinds([placed('strong', strong, { answered: 0.5 })], 'strong')).toEqual(['best', 'dubious'])
    expect(kinds([placed('strong', strong, { bounds: { conservative: -0.1, optimistic: 0.2 } })], 'strong')).toEqual(['best', 'dubious'])
    expect(kinds([placed('strong', strong, { tooShort: '10 days', interval: null })], 'strong')).toEqual(['best', 'too short'])
  })

  it('shares the star with cells of the same return, and nobody has it where nobody traded', () => {
    expect(kinds([placed('a', strong), placed('b', strong)], 'b')).toContain('best')
    const idle = placed('idle', Array.from({ length: DAYS }, () => 10_000), { figures: { trades: 0, sharpe: null } as never })
    const { window } = judgeWindow(read, [idle], [])
    expect([window.best, window.verdict]).toEqual([null, 'No candidate traded.'])
  })
})
