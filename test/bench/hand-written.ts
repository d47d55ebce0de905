import type { CandleColumns } from '../../engine/core/candle.ts'

/**
 * The yardstick: the same strategy and the same fill rules as one loop over typed arrays, with nothing pluggable, no
 * record, and the plain running sums that an engine must not use.
 */
export function handWritten({ open, high, low, close }: CandleColumns): { ms: number; candles: number; trades: number; equity: number } {
  const rows = close.length
  const begun = performance.now()
  let sumFast = 0
  let sumSlow = 0
  let gain = 0
  let loss = 0
  let fastBefore = 0
  let slowBefore = 0
  let cash = 10_000
  let quantity = 0
  let stop = 0
  let target = 0
  let spend = 0
  let leaving = false
  let trades = 0
  let peak = cash
  let drawdown = 0
  for (let row = 0; row < rows; row++) {
    const opened = open[row]
    const price = close[row]
    let fresh = false
    if (leaving) {
      cash += quantity * opened * 0.999
      quantity = 0
      trades++
      leaving = false
    } else if (spend > 0) {
      quantity = spend / (opened * 1.001)
      cash -= spend
      stop = opened * 0.95
      target = opened * 1.03
      spend = 0
      fresh = true
    }
    if (quantity > 0) {
      const exit = !fresh && opened <= stop ? opened
        : !fresh && opened >= target ? opened
          : low[row] <= stop ? stop
            : high[row] >= target ? target
              : 0
      if (exit > 0) {
        cash += quantity * exit * 0.999
        quantity = 0
        trades++
      }
    }
    const equity = cash + quantity * price
    if (equity > peak) peak = equity
    else if (equity / peak - 1 < drawdown) drawdown = equity / peak - 1
    sumFast += price - (row >= 9 ? close[row - 9] : 0)
    sumSlow += price - (row >= 21 ? close[row - 21] : 0)
    if (row > 0) {
      const change = price - close[row - 1]
      const up = change > 0 ? change : 0
      const down = change < 0 ? -change : 0
      gain = row <= 14 ? gain + up / 14 : (gain * 13 + up) / 14
      loss = row <= 14 ? loss + down / 14 : (loss * 13 + down) / 14
    }
    const fast = sumFast / 9
    const slow = sumSlow / 21
    if (row >= 21) {
      if (quantity === 0 && fastBefore <= slowBefore && fast > slow && 100 - 100 / (1 + gain / loss) < 70) spend = equity * 0.02
      else if (quantity > 0 && fastBefore >= slowBefore && fast < slow) leaving = true
    }
    fastBefore = fast
    slowBefore = slow
  }
  if (quantity > 0) {
    cash += quantity * close[rows - 1] * 0.999
    trades++
  }
  // The drawdown is part of the work that is measured, so it must be part of the result.
  return { ms: performance.now() - begun, candles: rows, trades, equity: drawdown > 0 ? NaN : cash }
}
