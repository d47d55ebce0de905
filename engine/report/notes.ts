import type { DecisionCounts, Figures, LaneMeasures } from '../core/figures.ts'
import { implausible } from '../core/metrics.ts'
import { timeframeMs } from '../core/timeframe.ts'
import type { ResolvedScenario } from '../config/resolve.ts'
import { gain, money, percent, quantity, utcMinute } from './format.ts'
import type { BreakEven, OpenPosition } from './report-data.ts'

const OMITTED: Readonly<Record<string, string>> = {
  instrument: 'No instrument block: prices and quantities are not rounded and there is no minimum order value.',
  broker: 'No broker block: the paper broker with its default capital, fees, slippage and fill model.',
  providers: "No providers block: the strategy's technical rules decide.",
  policy: 'No policy block: the default thresholds, stop, target and size, or those of the strategy and the environment.',
}

/** What the run took for granted, one sentence each. */
export function assumptions(scenario: ResolvedScenario, omitted: readonly string[], tapeNotes: readonly string[]): string[] {
  const { policy, broker } = scenario
  const sentences = [...tapeNotes]
  const { fees, slippageBps, fillModel, fillTimeframe, latencyCandles } = broker.options as {
    fees?: { maker: number; taker: number; asset: string }; slippageBps?: number; fillModel?: string
    fillTimeframe?: string | null; latencyCandles?: number
  }
  sentences.push('A decision at a candle’s close fills at the next open; stop and target rest from the entry candle on.')
  if (fillModel !== undefined) sentences.push(FILL_MODEL_NOTES[fillModel] ?? `Fill model ${fillModel}.`)
  if (fees !== undefined) {
    sentences.push(`Fees ${percent(fees.maker, 3)} maker, ${percent(fees.taker, 3)} taker, ${fees.asset === 'received' ? 'paid in what is received (a buy pays in base)' : 'paid in quote'}.`)
  }
  if (slippageBps !== undefined) sentences.push(`Slippage ${slippageBps} basis points on market and stop fills.`)
  if (fillTimeframe) sentences.push(`Orders are settled on ${fillTimeframe} candles.`)
  if (latencyCandles) sentences.push(`Market orders are ${latencyCandles} candle(s) late.`)
  sentences.push(`An entry spends ${percent(policy.positionSize)} of equity; stop ${policy.stopLoss === null ? 'none' : percent(policy.stopLoss)}, target ${policy.takeProfit === null ? 'none' : percent(policy.takeProfit)}.`)
  sentences.push(...omitted.map((block) => OMITTED[block]))
  return sentences
}

const FILL_MODEL_NOTES: Readonly<Record<string, string>> = {
  conservative: 'Fill model conservative: a target fills only when the price goes beyond it, and a stop comes before a target.',
  'open-on-gap': 'Fill model open-on-gap: a touch fills the target, a gap over it pays the open, and a stop comes before a target.',
  optimistic: 'Fill model optimistic: a touch fills the target, and it comes before the stop in an ambiguous candle.',
}

/** How an AI took part, in a sentence; empty where none did. */
export function aiAssumptions({ ai, providers }: ResolvedScenario, { total, aiAsked, aiFlipped }: DecisionCounts): string[] {
  if (ai === undefined) return []
  const { consult, recording, refinements, blind } = ai
  const when = consult === 'always' ? '' : consult === 'signal' ? ' (where the rules saw a signal)' : ` (every ${consult.every} candles)`
  const from = recording === null || recording.mode === 'live' ? 'live' : `recording ${recording.path}`
  const turns = refinements === 0 ? 'nobody was asked twice' : `asked again, it changed its action ${aiFlipped} time(s)`
  return [`${providers.map(({ name }) => name).join(' → ')}, ${from}: an AI was to be asked about ${aiAsked} of ${total} decisions${when}; ${turns}.`
    + (blind ? ' Prompts told neither symbol nor dates.' : '')]
}

/** What a reader must know of the AI's part. */
function aiWarnings(
  { scenario: { ai, providers, policy }, figures: { coverage }, decisions: { aiAsked, byProvider }, replayed, asks }: Parameters<typeof warnings>[0],
): string[] {
  if (ai === undefined) return []
  const found: string[] = []
  const answered = providers.reduce((sum, { name }) => sum + (name === 'technical' ? 0 : byProvider[name] ?? 0), 0)
  if (answered < aiAsked) {
    found.push(`${aiAsked - answered} of ${aiAsked} decisions that an AI was asked about fell back to the technical rules; the audit names each reason.`)
  }
  if (asks !== null && (asks.stopLoss !== policy.stopLoss || asks.takeProfit !== policy.takeProfit)) {
    const held = (distance: number | null): string => (distance === null ? 'none' : percent(distance))
    found.push(`AIs were asked about a stop of ${percent(asks.stopLoss)} and a target of ${percent(asks.takeProfit)}, the policy has ${held(policy.stopLoss)} and ${held(policy.takeProfit)}: `
      + 'their confidence is the chance of another event than the one that is traded, and break-even says nothing about it.')
  }
  if (ai.minCoverage !== null && (coverage ?? 0) < ai.minCoverage) {
    found.push(`AI coverage ${percent(coverage ?? 0)} is below minCoverage ${percent(ai.minCoverage)}.`)
  }
  if (providers.some(({ name }) => name === 'simulated') && (byProvider['simulated'] ?? 0) > 0) found.push('Answers of the provider simulated come from a seeded stand-in, not from any AI.')
  if (replayed !== null && replayed.unused > 0) {
    found.push(`${replayed.unused} of ${replayed.exchanges} recorded answers were not asked for: the scenario is not the one that was recorded, or asks less.`)
  }
  return replayed === null ? found : [...found, ...replayed.notes]
}

/** What a reader must know before believing the figures. */
export function warnings(about: {
  readonly scenario: ResolvedScenario
  readonly figures: Figures
  readonly measures: LaneMeasures
  readonly breakEven: BreakEven
  readonly decisions: DecisionCounts
  readonly dust: number
  readonly open: readonly OpenPosition[]
  /** What stopped trading, in words. */
  readonly halted: string | null
  readonly interrupted: boolean
  /** 95th percentile of the time that answers took; null when none took any. */
  readonly latencyP95: number | null
  readonly bounded: boolean
  /** What a recording that answered alone tells of itself; null where there was none. */
  readonly replayed: { readonly exchanges: number; readonly unused: number; readonly notes: readonly string[] } | null
  /** What an AI is asked the probability of; null where it is nothing of that kind. */
  readonly asks: { readonly stopLoss: number; readonly takeProfit: number; readonly horizon: number } | null
  /** What the market source says about the tape. */
  readonly tape: readonly string[]
}): string[] {
  const { figures, breakEven, decisions, scenario } = about
  const found = [...about.tape]
  if (about.interrupted) found.push('The run was interrupted: the tape, or what the report shows beside it, ends earlier than asked.')
  if (breakEven.breakEven !== null && breakEven.minConfidence < breakEven.breakEven) {
    found.push(
      `The confidence threshold ${percent(breakEven.minConfidence)} is below break-even ${percent(breakEven.breakEven)}: ` +
      `a trader who is right that often loses money (a walk without skill reaches ${percent(breakEven.baseRate)}).`,
    )
  }
  found.push(...implausible(figures))
  const { fillTimeframe = null } = scenario.broker.options as { fillTimeframe?: string | null }
  const patience = timeframeMs(scenario.timeframe) / 10
  if (about.latencyP95 !== null && about.latencyP95 > patience && fillTimeframe === null) {
    found.push(
      `Answers took up to ${(about.latencyP95 / 1000).toFixed(1)} s (95 % of them), more than a tenth of a candle, but orders fill at the ` +
      'next open as if they had not: set fillTimeframe to fill them later.',
    )
  }
  found.push(...aiWarnings(about))
  if (figures.trades === 0) found.push(about.open.length === 0 ? 'No trade was made.' : 'No trade was closed.')
  if (figures.ambiguousCandles > 0) {
    const advice = about.bounded ? 'the bounds show' : '--bounds shows'
    found.push(`${figures.ambiguousCandles} trade(s) ended in a candle that touched stop and target; ${advice} how much depends on their order.`)
  }
  if (about.halted !== null) found.push(`Trading was HALTED by ${about.halted}, and nothing was entered afterwards.`)
  const quote = scenario.symbols[0].split('/')[1]
  if (about.open.length > 0) {
    const held = about.open.map(({ symbol, entryTime, quantity: units, unrealised }) =>
      `${quantity(units)} ${symbol.split('/')[0]} since ${utcMinute(entryTime)} UTC (${gain(unrealised, quote)} ${quote})`)
    found.push(`Still held at the last close: ${held.join(', ')}. That counts in the equity and is no trade yet.`)
  }
  const dust = money(about.dust, quote)
  if (/[1-9]/.test(dust)) found.push(`Dust worth ${dust} ${quote} could not be sold and is valued in the equity.`)
  const failed = decisions.byStatus['FAILED'] ?? 0
  if (failed > 0) found.push(`${failed} approved order(s) did not fill; the audit says why.`)
  if (decisions.total === 0) found.push(`No decision was made: the tape has ${about.measures.candles} candle(s) and warm-up takes them all.`)
  if (scenario.policy.stopLoss === null) found.push('The policy has no stop-loss.')
  return found
}
