import { describe, expect, it } from 'vitest'
import type { Candle, CandleColumns } from '../../../engine/core/candle.ts'
import type { Approved, Execution, Order } from '../../../engine/core/order.ts'
import { DEFAULT_POLICY } from '../../../engine/core/policy.ts'
import type { ChainLink } from '../../../engine/pipeline/provider-chain.ts'
import type { Account, Broker, CalmRange, MaybePromise, OrderReceipt } from '../../../engine/ports.ts'
import { MemoryMarket, randomWalk } from '../../support/memory-market.ts'
import { dice, momentsOf, play, type LaneRun, type Play } from '../../support/play.ts'

const later = async <T>(value: MaybePromise<T>): Promise<T> => {
  for (let tick = 0; tick < 3; tick++) await Promise.resolve()
  return value
}

/** The same broker over a line that takes its time. */
class SlowBroker implements Broker {
  readonly #inner: Broker

  constructor(inner: Broker) {
    this.#inner = inner
  }

  get idle(): boolean { return this.#inner.idle }
  account(): Promise<Account> { return later(this.#inner.account()) }
  submit(order: Approved<Order>): Promise<OrderReceipt> { return later(this.#inner.submit(order)) }
  settle(now: number, symbol: string, candle?: Candle): Promise<readonly Execution[]> {
    return later(this.#inner.settle(now, symbol, candle))
  }
  cancel(orderId: string): Promise<Execution | null> { return later(this.#inner.cancel(orderId)) }
  raiseStop(symbol: string, stop: number): Promise<void> { return later(this.#inner.raiseStop(symbol, stop)) }
  closeAt(symbol: string, candle: Candle): readonly Execution[] { return this.#inner.closeAt!(symbol, candle) }
}

/** It also knows when nothing can happen, and how to go on as two. */
class SlowCalmBroker extends SlowBroker {
  readonly #calm: Broker

  constructor(inner: Broker) {
    super(inner)
    this.#calm = inner
  }

  calm(symbol: string): CalmRange | null { return this.#calm.calm!(symbol) }
  fork(): Broker { return new SlowCalmBroker(this.#calm.fork!()) }
}

const slowRules: ChainLink[] = [
  { name: 'technical', provider: { refines: false, answer: (conversation) => later(conversation.rules()) } },
]

const POLICIES: Readonly<Record<string, object>> = {
  plain: {},
  managed: { maxHold: 12, trailingStop: 0.02, breakEvenAt: 0.01, cooldown: 2 },
  watched: { maxDailyLoss: 0.05, maxConsecutiveLosses: 3 },
}
const scenario = (policy: object, symbols: readonly string[] = ['BTC/USDT']): object => ({
  name: 'slow', symbols, timeframe: '1h', strategy: { name: 'random' },
  policy: { minConfidence: 0.2, stopLoss: 0.02, takeProfit: 0.02, positionSize: 0.4, ...policy },
})
const left = ({ audit, trades, daily, decisions, measures }: LaneRun): unknown => ({
  audit, trades, daily, decisions, maxDrawdown: measures.maxDrawdown, held: measures.momentsInPosition,
})

describe.each(Object.entries(POLICIES))('a %s lane', (_name, policy) => {
  const columns = randomWalk(500, 21, '1h', 0.02)
  const one = (): Play => ({ market: new MemoryMarket(columns, '1h', 'BTC/USDT', 100), strategy: dice(5) })
  const tapes: Record<string, CandleColumns> = { 'AAA/USDT': columns, 'BBB/USDT': randomWalk(500, 22, '1h', 0.02) }
  const two = (): Play => ({ market: momentsOf(tapes), strategy: dice(5) })

  it.each(['full', 'off'] as const)('comes to the same over slow ports, audit %s', async (audit) => {
    for (const [setting, symbols] of [[one, ['BTC/USDT']], [two, Object.keys(tapes)]] as const) {
      const run = async (what: Partial<Play>): Promise<unknown> => {
        const { runs: [lane] } = await play(scenario(policy, symbols), { ...setting(), audit, ...what })
        expect(lane.trades.length).toBeGreaterThan(10)
        return left(lane)
      }
      const swift = await run({})
      expect(await run({ broker: (broker) => new SlowBroker(broker) })).toEqual(swift)
      expect(await run({ broker: (broker) => new SlowCalmBroker(broker) })).toEqual(swift)
      expect(await run({ links: slowRules })).toEqual(swift)
      expect(await run({ links: slowRules, broker: (broker) => new SlowCalmBroker(broker) })).toEqual(swift)
    }
  })

  it('parts from others over slow ports as it does at once', async () => {
    const base = { ...DEFAULT_POLICY, minExitConfidence: 0.2, stopLoss: 0.02, takeProfit: 0.02, positionSize: 0.4 }
    const variants = [0.1, 0.3, 0.5, 0.7].map((minConfidence) => ({ policy: { ...base, ...policy, minConfidence } }))
    const run = async (what: Partial<Play>): Promise<unknown> =>
      (await play(scenario(policy), { ...one(), variants, audit: 'off', ...what })).runs.map(left)
    const swift = await run({})
    expect(await run({ broker: (broker) => new SlowCalmBroker(broker) })).toEqual(swift)
    expect(await run({ links: slowRules, broker: (broker) => new SlowCalmBroker(broker) })).toEqual(swift)
  })
})
