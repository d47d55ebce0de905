import { describe, expect, it } from 'vitest'
import type { TrailLine } from '../../engine/audit/reader.ts'
import type { ParityTrade } from '../../engine/parity.ts'
import { Causes, type Pair } from '../../engine/parity-cause.ts'

const HOUR = 3_600_000
const at = (hour: number): number => Date.UTC(2024, 0, 1) + hour * HOUR
const line = (type: string, hour: number, fields: object = {}): TrailLine =>
  ({ raw: '', text: '', fields: { type, timestamp: new Date(at(hour)).toISOString(), symbol: 'BTC/USDT', ...fields } })
const alarm = (event: string, hour: number, symbol = 'BTC/USDT'): TrailLine => line('alarm', hour, { event, symbol })
const trade = (changes: Partial<ParityTrade> = {}): ParityTrade => ({
  symbol: 'BTC/USDT', entryTime: at(10), exitTime: at(14), reason: 'stop', quantity: 1, entryPrice: 100, exitPrice: 95,
  fees: 0.1, ...changes,
})
const open = trade({ reason: 'open', exitTime: Infinity, exitPrice: NaN })
const later = trade({ exitTime: at(16) })

/** The tape's last candle closes at hour 40. */
function cause(lines: readonly TrailLine[], pair: Partial<Pair> = {}): string {
  return new Causes(lines, HOUR, at(40)).of({ run: trade(), backtest: later, otherSide: [], ...pair }).split(':')[0]
}

describe('the cause of a difference', () => {
  it.each<[string, TrailLine, string]>([
    ['an alarm while the trade was held', alarm('venue-unreachable', 12), 'fault'],
    ['one in the candle of the exit', alarm('venue-unreachable', 16.5), 'fault'],
    ['one before the entry', alarm('venue-unreachable', 9.5), 'unknown'],
    ['one after the exit', alarm('venue-unreachable', 17.5), 'unknown'],
    ['one of another symbol', alarm('venue-unreachable', 12, 'ETH/USDT'), 'unknown'],
    ['a revision of the candle that was decided on', alarm('candle-revised', 9.5), 'revision'],
    ['a revision long before', alarm('candle-revised', 5), 'unknown'],
    ['a revision long after', alarm('candle-revised', 30), 'unknown'],
    ['a candle that came too late', line('decision', 13, { reason: 'missed' }), 'latency'],
    ['a halt while the trade was held', line('risk', 12, { rule: 'max-drawdown', state: 'HALTED', symbol: undefined }), 'halted'],
    ['a halt afterwards', line('risk', 20, { rule: 'max-drawdown', state: 'HALTED', symbol: undefined }), 'unknown'],
  ])('%s', (_, found, name) => {
    expect(cause([found])).toBe(name)
  })

  it('of a trade that is still held is how the run ended, or what kept it from leaving', () => {
    const stopped = line('session', 40, { event: 'stopped', symbol: undefined, requests: { signed: 0, public: 0 } })
    const of = (lines: readonly TrailLine[], backtest: ParityTrade): string =>
      new Causes(lines, HOUR, at(40)).of({ run: open, backtest, otherSide: [] })
    expect(of([stopped], trade({ exitTime: at(39) }))).toBe('still open: the run was stopped while the position was held')
    expect(of([], later)).toBe('still open: the run broke off while the position was held')
    expect(of([alarm('venue-unreachable', 15), stopped], later)).toMatch(/^fault: alarm venue-unreachable at 2024-01-01T15:00/)
    expect(of([alarm('venue-unreachable', 25), stopped], later)).toMatch(/^still open: /)
    expect(of([line('risk', 12, { rule: 'operator', state: 'HALTED', symbol: undefined }), stopped], later))
      .toBe('halted: trading was halted at 2024-01-01T12:00:00.000Z (operator) while the position was held')
  })

  it('of a trade that only the backtest made is what the decision says', () => {
    const refused = (reason: string): string => cause([line('decision', 10, { status: 'REJECTED', reason })], { run: null })
    expect([refused('halted'), refused('late'), refused('cooldown')]).toEqual(['halted', 'latency', 'rejection'])
  })

  it('of a trade that another was in the way of is that one', () => {
    expect(cause([], { backtest: null, otherSide: [trade({ entryTime: at(8), exitTime: at(12) })] })).toBe('consequence')
  })
})
