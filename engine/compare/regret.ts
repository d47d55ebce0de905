import type { TradeColumns } from '../core/figures.ts'
import { EXIT_REASONS } from '../core/order.ts'
import type { DecisionRuns } from '../session/decision-runs.ts'
import type { BetTerms, Bets } from './bets.ts'
import type { Regret } from './comparison.ts'
import type { OpinionLog } from './opinion-log.ts'
import type { SymbolTape } from './tape-columns.ts'

/** What one refusal would have earned; for an exit, what leaving would have saved. null: not known. */
export type Earned = (symbol: number, side: 'buy' | 'sell', row: number) => number | null

/**
 * An entry is worth what its own bet came to, after costs. An exit that was refused while something was held is worth what
 * leaving at the next open would have got beyond what the position was sold for in the end, as a fraction of that.
 */
export function earnedBy(
  bets: readonly Bets[], tapes: readonly SymbolTape[], trades: TradeColumns, { delay, costs }: Pick<BetTerms, 'delay' | 'costs'>,
): Earned {
  const bySymbol = tapes.map((_, symbol) => Array.from({ length: trades.length }, (_, row) => row).filter((row) => trades.symbol[row] === symbol))
  const kept = 1 - costs.slippageBps / 10_000
  return (symbol, side, row) => {
    if (side === 'buy') {
      const bet = bets[symbol].at(row)
      return bet === null || bet.end === 'open' ? null : bet.netReturn
    }
    const { columns, length } = tapes[symbol]
    if (row + delay >= length) return null
    const trade = heldAt(trades, bySymbol[symbol], columns.openTime[row])
    if (trade === null || EXIT_REASONS[trades.reason[trade]] === 'end') return null
    return (columns.open[row + delay] * kept) / trades.exitPrice[trade] - 1
  }
}

/** The trade that held at a time; null where none did, or its end is not known. */
function heldAt({ entryTime, exitTime }: TradeColumns, rows: readonly number[], time: number): number | null {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (entryTime[rows[middle]] <= time) low = middle + 1
    else high = middle
  }
  const found = low === 0 ? null : rows[low - 1]
  return found !== null && exitTime[found] >= time ? found : null
}

interface Sums {
  count: number
  resolved: number
  total: number
  wins: number
}

/** Refusals by reason, dearest first. There is nothing to leave without a position, so those are counted and not valued. */
export function regretsOf(log: OpinionLog, notes: DecisionRuns, earned: Earned): Regret[] {
  const regrets: Regret[] = []
  for (const side of ['buy', 'sell'] as const) {
    const byReason = new Map<string, Sums>()
    for (const [symbol, { rows, said }] of log.symbols.entries()) {
      const action = side === 'buy' ? 'BUY' : 'SELL'
      let at = 0
      for (const { from, to, reason } of notes.of(symbol, side)) {
        while (at < rows.length && rows[at] < from) at++
        for (; at < rows.length && rows[at] <= to; at++) {
          if (reason === null || said[at].opinion.action !== action) continue
          const sums = byReason.get(reason) ?? { count: 0, resolved: 0, total: 0, wins: 0 }
          byReason.set(reason, sums)
          sums.count++
          const value = reason === 'no-position' ? null : earned(symbol, side, rows[at])
          if (value === null) continue
          sums.resolved++
          sums.total += value
          if (value > 0) sums.wins++
        }
      }
    }
    for (const [reason, { count, resolved, total, wins }] of byReason) {
      regrets.push({
        reason, side: side === 'buy' ? 'entry' : 'exit', count, resolved, unknown: count - resolved, total,
        mean: resolved === 0 ? null : total / resolved, winRate: resolved === 0 ? null : wins / resolved,
      })
    }
  }
  return regrets.sort((a, b) => b.total - a.total || (a.reason < b.reason ? -1 : 1))
}
