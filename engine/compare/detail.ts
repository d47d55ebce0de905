import type { TradeColumns } from '../core/figures.ts'
import type { Consultation } from '../pipeline/consultation.ts'
import type { DecisionRuns } from '../session/decision-runs.ts'
import type { KeptDecision } from './kept.ts'
import type { OpinionLog } from './opinion-log.ts'
import type { Earned } from './regret.ts'

/** Decisions that are kept for reading: those that were executed, and refusals of which it matters most what they came to. */
const MOST_EXECUTED = 300
const MOST_REFUSED = 100

interface Found {
  readonly symbol: number
  readonly side: 'buy' | 'sell'
  readonly at: number
  readonly reason: string | null
}

/** A cell's decisions for a reader, in the order of time, and how many were left out. */
export function detailOf(log: OpinionLog, notes: DecisionRuns, trades: TradeColumns, earned: Earned): { detail: KeptDecision[]; omitted: number } {
  const executed: Found[] = []
  const refused: (Found & { readonly value: number | null })[] = []
  let count = 0
  for (const [symbol, { rows, said }] of log.symbols.entries()) {
    for (const side of ['buy', 'sell'] as const) {
      let at = 0
      for (const { from, to, reason } of notes.of(symbol, side)) {
        while (at < rows.length && rows[at] < from) at++
        for (; at < rows.length && rows[at] <= to; at++) {
          if (said[at].opinion.action !== (side === 'buy' ? 'BUY' : 'SELL') || reason === 'no-position') continue
          count++
          if (reason === null) executed.push({ symbol, side, at, reason })
          else keepDearest(refused, { symbol, side, at, reason, value: earned(symbol, side, rows[at]) })
        }
      }
    }
  }
  const byEntry = returnsByEntry(trades)
  const chosen = [...executed.slice(0, MOST_EXECUTED).map((one) => ({ ...one, value: null })), ...refused]
  const detail = chosen.map(({ symbol, side, at, reason, value }): KeptDecision => {
    const { times, said } = log.symbols[symbol]
    const traded = side === 'buy' ? (byEntry.get(`${symbol} ${times[at]}`) ?? null) : null
    return { ...opinionRow(said[at], times[at], symbol), status: reason === null ? 'EXECUTED' : 'REJECTED', reason, earned: reason === null ? traded : value }
  })
  detail.sort((a, b) => a.time - b.time || a.symbol - b.symbol)
  return { detail, omitted: count - detail.length }
}

function keepDearest<T extends { readonly value: number | null }>(kept: T[], one: T): void {
  const size = ({ value }: T): number => Math.abs(value ?? 0)
  if (kept.length === MOST_REFUSED && size(kept[MOST_REFUSED - 1]) >= size(one)) return
  let place = kept.length
  while (place > 0 && size(kept[place - 1]) < size(one)) place--
  kept.splice(place, 0, one)
  if (kept.length > MOST_REFUSED) kept.pop()
}

/** An order decided at a close fills at the open of that time, unless the broker is late; then the trade is not found. */
const returnsByEntry = (trades: TradeColumns): Map<string, number> =>
  new Map(Array.from({ length: trades.length }, (_, row) => [`${trades.symbol[row]} ${trades.entryTime[row]}`, trades.pnl[row] / trades.cost[row]]))

function opinionRow(
  { provider, initial, turns, opinion: { action, confidence }, latencyMs, usage }: Consultation, time: number, symbol: number,
): Omit<KeptDecision, 'status' | 'reason' | 'earned'> {
  return {
    time, symbol, provider, action, confidence, latencyMs, costUsd: usage.costUsd,
    turns: [initial, ...turns].map((turn) => ({ action: turn.action, confidence: turn.confidence, reasoning: turn.reasoning })),
  }
}
