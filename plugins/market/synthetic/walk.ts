import type { CandleColumns } from '../../../engine/core/candle.ts'
import { roundToTick } from '../../../engine/core/instrument.ts'
import { roughNormal, seededRandom } from '../../../engine/core/random.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import { regimes } from './regimes.ts'

export interface WalkPlan {
  readonly seed: number
  readonly from: EpochMs
  /** Length of a candle in milliseconds. */
  readonly step: number
  /** In quote per base. */
  readonly startPrice: number
  readonly tickSize: number
}

const HOUR_MS = 3_600_000
/** Standard deviation of an hour's return. */
const HOURLY = 0.005
/** Quote that changes hands in a quiet hour. */
const HOURLY_TURNOVER = 1_500_000
/** Share of a shock that stays in the volatility of the next candle, and of the volatility itself: GARCH(1,1). */
const SHOCK = 0.12
const MEMORY = 0.85
const JUMP_SHARE = 0.08
const WIDEST_MOVE = 0.2

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)

/**
 * One symbol's endless candles, written into columns on demand. Only + − × ÷, square roots and integer operations: a
 * seed gives the same candles on every platform, which Math.exp, log and sin would not promise.
 */
export function candleWalk(plan: WalkPlan): (columns: CandleColumns, rows: number) => void {
  const { seed, from, step, startPrice, tickSize } = plan
  const random = seededRandom(seed)
  const nextRegime = regimes(random)
  const usual = Math.min(HOURLY * Math.sqrt(step / HOUR_MS), 0.02)
  // A minute's regimes move the price less than a week's, but not in proportion: a crash must leave something.
  const reach = Math.min(usual / HOURLY, 1.2)
  const quiet = (HOURLY_TURNOVER / startPrice) * (step / HOUR_MS)
  // Below this, the tick would be coarser than the moves, and rounding could reach 0.
  const floor = tickSize * 100
  const rounded = (price: number): number => roundToTick(Math.max(price, floor), tickSize)
  let regime = nextRegime(1)
  let left = regime.length
  let variance = 1
  let close = rounded(startPrice)
  let anchor = close
  let openTime = from

  return (columns, rows) => {
    for (let row = 0; row < rows; row++, openTime += step) {
      if (left-- === 0) {
        regime = nextRegime(close / startPrice)
        left = regime.length - 1
        anchor = close
      }
      const shock = roughNormal(random)
      const wildness = Math.sqrt(variance) * regime.wildness
      const deviation = usual * wildness
      variance = 1 - SHOCK - MEMORY + variance * (SHOCK * shock * shock + MEMORY)
      // Sideways means that the price is drawn back to where the stretch began.
      const pull = regime.mood === 'sideways' ? 0.05 * (anchor / close - 1) : 0
      const move = clamp((reach * regime.change) / regime.length + pull + deviation * shock, -WIDEST_MOVE, WIDEST_MOVE)
      const jump = random() < JUMP_SHARE ? 0.3 * deviation * roughNormal(random) : 0
      const open = jump === 0 ? close : rounded(close * (1 + clamp(jump, -WIDEST_MOVE, WIDEST_MOVE)))
      close = rounded(open * (1 + move))
      const top = Math.max(open, close)
      const bottom = Math.min(open, close)
      const upper = random()
      const lower = random()
      columns.openTime[row] = openTime
      columns.open[row] = open
      columns.high[row] = Math.max(top, rounded(top * (1 + 0.9 * deviation * upper * upper)))
      columns.low[row] = Math.min(bottom, rounded(bottom * (1 - Math.min(0.9 * deviation * lower * lower, 0.5))))
      columns.close[row] = close
      const activity = (0.3 + 0.5 * wildness + 0.6 * Math.abs(move) / usual) * (0.6 + 0.8 * random())
      columns.volume[row] = Math.round(quiet * activity * 1e5) / 1e5
    }
  }
}
