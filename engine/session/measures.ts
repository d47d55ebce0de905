import type { DecisionCounts, ExitCounts, LaneMeasures } from '../core/figures.ts'
import { EXIT_REASONS } from '../core/order.ts'
import { equity } from '../core/portfolio.ts'
import type { ChainLink } from '../pipeline/provider-chain.ts'
import type { Lane } from './lane.ts'
import type { SessionResult } from './session.ts'
import type { OpinionTally } from './tally.ts'

/** What the loop measured of one lane. Ends the lane's equity curve, so it may be called once. */
export function measureLane(lane: Lane, result: SessionResult, opinions: OpinionTally, links: readonly ChainLink[]): LaneMeasures {
  const { portfolio } = lane
  // Rules alone cover nothing; where an AI is asked now and then, only those decisions count.
  const toCover = links.length === 1 ? opinions.total : opinions.asked
  return {
    startCash: portfolio.startCash,
    finalEquity: equity(portfolio),
    ...lane.curve.finish(result.lastClose),
    firstOpen: result.firstOpen,
    lastOpen: result.lastOpen,
    moments: result.moments,
    momentsInPosition: lane.momentsInPosition,
    candles: result.candles,
    trades: portfolio.trades,
    fees: portfolio.fees,
    slippage: portfolio.slippage,
    traded: portfolio.traded,
    ambiguousCandles: portfolio.ambiguousCandles,
    coverage: toCover === 0 ? null : opinions.answered / toCover,
    aiCost: opinions.costUsd,
  }
}

export function countExits({ trades }: LaneMeasures): ExitCounts {
  const counts = Object.fromEntries(EXIT_REASONS.map((reason) => [reason, 0])) as Record<(typeof EXIT_REASONS)[number], number>
  for (let row = 0; row < trades.length; row++) counts[EXIT_REASONS[trades.reason[row]]]++
  return counts
}

/** All decisions of a lane: the HOLDs that it shares with others and what became of the rest. */
export function countDecisions({ outcomes }: Lane, opinions: OpinionTally, links: readonly ChainLink[]): DecisionCounts {
  const byStatus: Record<string, number> = {}
  const byReason: Record<string, number> = {}
  if (opinions.held > 0) byStatus['SKIPPED'] = byReason['hold'] = opinions.held
  const totals = outcomes.totals()
  // A lane skips on its own what became known too late.
  for (const [status, count] of totals.byStatus) byStatus[status] = (byStatus[status] ?? 0) + count
  for (const [reason, count] of totals.byReason) byReason[reason] = count
  const byProvider = Object.fromEntries(links.map(({ name }, index) => [name, opinions.byLink[index]]))
  return { total: opinions.total + (byReason['missed'] ?? 0), byStatus, byReason, byProvider, aiAsked: opinions.asked, aiFlipped: opinions.flipped }
}
