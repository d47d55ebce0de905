import { z } from 'zod'
import { assemble, type LaneVariant } from '../../engine/assemble.ts'
import { Trail, type AuditLevel } from '../../engine/audit/trail.ts'
import type { Candle, CandleColumns } from '../../engine/core/candle.ts'
import type { LaneMeasures } from '../../engine/core/figures.ts'
import type { Action, Opinion } from '../../engine/core/opinion.ts'
import { hashUniform } from '../../engine/core/random.ts'
import { timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import type { ChainLink } from '../../engine/pipeline/provider-chain.ts'
import { defineStrategy, type Broker, type MarketEvent, type MarketSource, type Strategy } from '../../engine/ports.ts'
import { instrumentOf, type Instrument } from '../../engine/core/instrument.ts'
import type { Lane } from '../../engine/session/lane.ts'
import { countDecisions, measureLane } from '../../engine/session/measures.ts'
import { laneOf, runSession, type SessionResult } from '../../engine/session/session.ts'
import { tradesCsv } from '../../engine/session/run-tables.ts'
import { columnsOf, MemoryMarket } from './memory-market.ts'
import { chainOf } from './chains.ts'
import { resolveInMemory } from './in-memory.ts'
import { quietWorld } from './run-scenario.ts'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** 2024-01-01T00:00:00Z, a Monday. */
export const START = Date.UTC(2024, 0, 1)

/** `[open, high, low, close]`, and the volume where it matters. */
export type Row = readonly [number, number, number, number, number?]

export const candlesOf = (rows: readonly Row[], timeframe: Timeframe = '1h', from = START): Candle[] =>
  rows.map(([open, high, low, close, volume = 1], index) => ({
    openTime: from + index * timeframeMs(timeframe), open, high, low, close, volume,
  }))

/** Hand-made candles from {@link START} on. */
export const tapeOf = (rows: readonly Row[], timeframe: Timeframe = '1h', from = START): CandleColumns =>
  columnsOf(candlesOf(rows, timeframe, from))

/** Candles in which nothing moves. */
export const flat = (price: number, count: number): Row[] =>
  Array.from({ length: count }, () => [price, price, price, price] as const)

export const marketOf = (rows: readonly Row[], timeframe: Timeframe = '1h', batch = 4096): MemoryMarket =>
  new MemoryMarket(tapeOf(rows, timeframe), timeframe, 'BTC/USDT', batch)

/** A market that sends exactly these events. */
export class EventMarket implements MarketSource {
  readonly #events: readonly MarketEvent[]

  constructor(events: readonly MarketEvent[]) {
    this.#events = events
  }

  instrument(symbol: string): Instrument {
    return instrumentOf(symbol)
  }

  async *events(): AsyncGenerator<MarketEvent> {
    yield* this.#events
  }
}

export const opinion = (action: Action, confidence = 1): Opinion =>
  ({ action, confidence, reasoning: `the script says ${action}` })
const HOLD = opinion('HOLD', 0)

/** What is said at the close of candle number `index`; everything else is HOLD. */
export type Script = Readonly<Record<number, Action | Opinion>>

/** A strategy that reads its opinions from a script, or from one script per symbol. */
export function scripted(
  script: Script | ReadonlyMap<string, Script>, extra: Partial<Strategy> = {}, timeframe: Timeframe = '1h',
): { strategy: Strategy; params: unknown } {
  const strategy = defineStrategy<unknown>({
    name: 'scripted',
    description: 'reads its opinions from a script',
    params: z.strictObject({}),
    warmup: () => 0,
    indicators: () => ({}),
    technical: ({ symbol, time }) => {
      const lines: Script = script instanceof Map ? script.get(symbol) as Script : script as Script
      const said = lines[(time - START) / timeframeMs(timeframe) - 1] ?? HOLD
      return typeof said === 'string' ? opinion(said) : said
    },
    ...extra,
  })
  return { strategy, params: {} }
}

/** A scenario that trades all its cash without costs: what a test is about is then what it overrides. */
export const freely = (broker: object = {}, policy: object = {}, rest: object = {}): object => ({
  name: 'hand-made', symbol: 'BTC/USDT', timeframe: '1h',
  broker: { name: 'paper', cash: 10_000, fees: { maker: 0, taker: 0, asset: 'quote' }, slippageBps: 0, ...broker },
  strategy: { name: 'random' },
  policy: { minConfidence: 0, stopLoss: 0.05, takeProfit: 0.05, positionSize: 1, ...policy },
  ...rest,
})

export interface Line {
  readonly type: string
  readonly seq: number
  readonly timestamp: string | null
  readonly [key: string]: unknown
}

export interface FillLine extends Line {
  readonly id: string
  readonly symbol: string
  readonly side: 'buy' | 'sell'
  readonly price: number
  readonly quantity: number
  readonly notional: number
  readonly fee_base: number
  readonly fee_quote: number
  readonly slippage: number
  readonly liquidity: 'maker' | 'taker'
  readonly reason: string | null
  readonly ambiguous: boolean
  readonly stop: number | null
  readonly target: number | null
}

/** One lane's run: its audit trail as written and as read, its trades as in trades.csv, its daily equity. */
export interface LaneRun {
  readonly lane: Lane
  readonly audit: string
  readonly lines: readonly Line[]
  readonly fills: readonly FillLine[]
  readonly trades: readonly string[]
  readonly measures: LaneMeasures
  readonly daily: readonly number[]
  readonly decisions: ReturnType<typeof countDecisions>
}

export interface Played {
  readonly runs: readonly LaneRun[]
  readonly session: SessionResult
}

export interface Play {
  readonly market: MarketSource
  readonly strategy?: { readonly strategy: Strategy; readonly params: unknown }
  /** Lanes beside each other; by default the scenario's own. */
  readonly variants?: readonly LaneVariant[]
  readonly atEnd?: 'close' | 'keep'
  /** `off` runs lanes without a trail, which then skip what cannot concern them. */
  readonly audit?: AuditLevel
  /** Take the place of the scenario's providers. */
  readonly links?: readonly ChainLink[]
  /** Wraps each lane's broker. */
  readonly broker?: (broker: Broker) => Broker
  readonly signal?: AbortSignal
}

export const linesOf = (audit: string): Line[] =>
  audit === '' ? [] : audit.trimEnd().split('\n').map((line) => JSON.parse(line) as Line)

/** Runs a scenario over a market in memory, through assembly and loop, and gathers what each lane left behind. */
export async function play(scenario: object, play: Play): Promise<Played> {
  const { market, strategy, variants = [{}], atEnd = 'close', audit = 'full', links, broker, signal } = play
  const resolution = await resolveInMemory(scenario, strategy === undefined ? { market } : { market, strategy })
  const { plugins } = resolution
  const wrapped = broker === undefined ? resolution : {
    ...resolution,
    plugins: {
      ...plugins,
      broker: {
        ...plugins.broker,
        create: async (...args: Parameters<typeof plugins.broker.create>) =>
          broker(await plugins.broker.create(...args)),
      },
    },
  }
  const texts = variants.map(() => '')
  const about = { run: 'run-1', timeframe: resolution.scenario.timeframe, scored: plugins.strategy.scored === true }
  const trails = variants.map((_, index) => audit === 'off' ? null
    : new Trail(audit, about, (bytes) => { texts[index] += Buffer.from(bytes).toString('utf8') }))
  const { plan } = await assemble(wrapped, quietWorld(signal), atEnd, variants, trails)
  const chain = links === undefined ? plan.chain : chainOf(links, { signal: plan.signal })
  const session = await runSession({ ...plan, chain })
  const { symbols } = resolution.scenario
  const measured = new Map<Lane, LaneMeasures>()
  const runs = variants.map((_, index): LaneRun => {
    trails[index]?.flush()
    const lane = laneOf(session, index)
    const opinions = session.opinions[plan.usesPortfolio ? index : 0]
    // Variants that never differed share a lane, and a lane can be measured once.
    const measures = measured.get(lane) ?? measureLane(lane, session, opinions, chain.links)
    measured.set(lane, measures)
    const lines = linesOf(texts[index])
    const { trades } = measures
    return {
      lane, audit: texts[index], lines, measures,
      fills: lines.filter(({ type }) => type === 'fill') as FillLine[],
      trades: [...tradesCsv(trades, symbols)].slice(1),
      daily: [...measures.dailyEquity],
      decisions: countDecisions(lane, opinions, chain.links),
    }
  })
  return { runs, session }
}

/** The only lane of a run. */
export async function playOne(scenario: object, what: Play): Promise<LaneRun> {
  return (await play(scenario, what)).runs[0]
}

/** Reasons for which positions ended, in order. */
export const exitsOf = ({ lines }: LaneRun): unknown[] =>
  lines.filter(({ type }) => type === 'trade').map(({ reason }) => reason)

export const decisionsOf = ({ lines }: LaneRun): Line[] => lines.filter(({ type }) => type === 'decision')

/** Candles of several symbols as a market sends them: moment by moment, in the order of the symbols. */
export function momentsOf(tapes: Readonly<Record<string, CandleColumns>>, timeframe: Timeframe = '1h'): EventMarket {
  const symbols = Object.keys(tapes)
  const rows = symbols.flatMap((symbol, order) =>
    Array.from(tapes[symbol].openTime, (time, row) => ({ symbol, order, time, row })))
  rows.sort((a, b) => a.time - b.time || a.order - b.order)
  return new EventMarket(rows.map(({ symbol, time, row }, index) => ({
    kind: 'candles', symbol, timeframe, columns: tapes[symbol], start: row, end: row + 1, settles: true, decides: true,
    more: rows[index + 1]?.time === time,
  })))
}

/** Says BUY or SELL now and then, with any confidence, by a seed and the time alone. */
export function dice(
  seed: number, buy = 0.2, sell = 0.1, extra: Partial<Strategy> = {},
): { strategy: Strategy; params: unknown } {
  const said = (action: Action, time: number): Opinion => ({
    action, confidence: Math.round(hashUniform(seed, time, 2) * 1000) / 1000, reasoning: `the dice say ${action}`,
  })
  const strategy = defineStrategy<unknown>({
    name: 'dice',
    description: 'throws dice',
    params: z.strictObject({}),
    warmup: () => 0,
    indicators: () => ({}),
    technical: ({ time }) => {
      const thrown = hashUniform(seed, time, 1)
      return thrown < buy ? said('BUY', time) : thrown < buy + sell ? said('SELL', time) : HOLD
    },
    ...extra,
  })
  return { strategy, params: {} }
}
