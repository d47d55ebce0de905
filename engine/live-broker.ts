import type { ResolvedScenario } from './config/resolve.ts'
import type { FillModelName } from './core/matching.ts'
import type { Timeframe } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'

/** The options of broker paper, as far as a venue takes them over. */
export interface PaperBlock {
  readonly cash: number
  readonly fees: { readonly maker: number; readonly taker: number; readonly asset: 'received' | 'quote' }
  readonly slippageBps: number
  readonly fillModel: FillModelName
  readonly fillTimeframe: Timeframe | null
  readonly latencyCandles: number
}

/** What the scenario's paper broker assumes, for `doing` what needs it. Throws TD_SCENARIO_INVALID for what no exchange does. */
export function paperBlock({ name, broker }: ResolvedScenario, doing: string): PaperBlock {
  if (broker.name !== 'paper') {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${name}: ${doing} brings its own broker and takes cash, fees `
      + `and slippage from a paper block: write "broker: { name: paper, cash: 10000 }" instead of ${broker.name}`)
  }
  const paper = broker.options as PaperBlock
  if (paper.latencyCandles > 0) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${name}: broker.latencyCandles is ${paper.latencyCandles}: `
      + `${doing} fills at once; set it to 0`)
  }
  return paper
}

/** Options of broker binance that assume what the scenario's paper broker does. */
export function liveBrokerOptions(options: unknown): object {
  const { cash, slippageBps, fees: { asset }, fillTimeframe } = options as PaperBlock
  return { cash, slippageBps, feeAsset: asset, fillTimeframe }
}
