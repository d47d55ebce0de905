import { expect } from 'vitest'
import { orderFields } from '../../engine/audit/trail.ts'
import type { Candle } from '../../engine/core/candle.ts'
import { instrumentOf, type Instrument } from '../../engine/core/instrument.ts'
import type { Costs, FillModelName } from '../../engine/core/matching.ts'
import type { Approved, EntryOrder, Execution, ExitOrder, Fill, Order } from '../../engine/core/order.ts'
import { isoTime, type EpochMs } from '../../engine/core/time.ts'
import type { Broker, Clock, Journal, OrderReceipt, PastLine, Venue } from '../../engine/ports.ts'
import { fillFields } from '../../engine/session/order-desk.ts'
import binance, { type BinanceBrokerOptions } from '../../plugins/broker/binance.ts'
import { Core, ENDPOINTS } from '../../plugins/exchange/core.ts'
import { Dispatcher } from '../../plugins/exchange/dispatch.ts'
import type { FaultPlan, PracticeOrder, PracticeTrade, SymbolFlags } from '../../plugins/exchange/exchange.ts'
import { signatureOf } from '../../plugins/exchange/signature.ts'
import { candleAt, entryAt, exitAt } from '../contract/broker-suite.ts'
import { columnsOf } from './memory-market.ts'
import { KEYS, START } from './practice.ts'
import { testDeps } from './scripted-venue.ts'

export const HOUR = 3_600_000
export const BTC = 'BTC/USDT'
export const ETH = 'ETH/USDT'
export const PREFIX = 'tbroker'
export const FREE: Costs = { maker: 0, taker: 0, feeAsset: 'received', slippageBps: 0 }
export const STEPS = { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 } as const
/** An hour in which nothing happens. */
export const QUIET = '100/101/99/100'

/** The close of candle `index`. */
export const closeOf = (index: number): number => START + (index + 1) * HOUR
/** `e`, `s1`, `x1` …: client ids of the position that is decided on at the close of candle `index`. */
export const idOf = (index: number, tail: string, symbolIndex = 0): string => `${PREFIX}-${symbolIndex}-${closeOf(index) / 1000}-${tail}`

/** Orders as the loop names them. */
export const buyAt = (index: number, fields: Partial<EntryOrder> = {}): Approved<EntryOrder> =>
  entryAt(index, { id: `${fields.symbol === ETH ? 1 : 0}-${closeOf(index) / 1000}-entry`, ...fields })
export const sellAt = (index: number, fields: Partial<ExitOrder> = {}): Approved<ExitOrder> =>
  exitAt(index, { id: `0-${closeOf(index) / 1000}-exit`, ...fields })

export interface Asked {
  /** `POST order/cancelReplace`. */
  readonly name: string
  readonly params: Readonly<Record<string, string>>
  /** Exchange time. */
  readonly at: number
}

/** What is done to one request: whether it gets to the exchange, and what comes back instead of the exchange's answer. */
export interface Meddling {
  readonly executed: boolean
  /** What somebody else does right before. */
  readonly first?: () => Promise<unknown>
  readonly answer?:
    | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly json?: unknown; readonly text?: string }
    | 'break'
    | 'crash'
    | ((json: never) => unknown)
}

export const LOST: Meddling = { executed: true, answer: 'break' }
export const UNSENT: Meddling = { executed: false, answer: 'break' }
export const CRASH_BEFORE: Meddling = { executed: false, answer: 'crash' }
export const CRASH_AFTER: Meddling = { executed: true, answer: 'crash' }
export const refusal = (code: number, msg: string, status = 400, headers: Readonly<Record<string, string>> = {}): Meddling =>
  ({ executed: false, answer: { status, headers, json: { code, msg } } })
export const altered = (alter: (json: never) => unknown): Meddling => ({ executed: true, answer: alter })

/** The practice exchange without its network, so that a test can afford to be cut at every request. */
export class NearExchange {
  readonly #core: Core
  readonly #dispatcher: Dispatcher

  constructor(options: ConstructorParameters<typeof Core>[0]) {
    this.#core = new Core(options)
    this.#dispatcher = new Dispatcher(this.#core, KEYS, () => {})
  }

  now(): EpochMs {
    return this.#core.clock.now()
  }

  /** As a stepped clock sleeps: from close to close. */
  sleep(ms: number): void {
    const { clock } = this.#core
    for (const until = clock.now() + ms; clock.now() < until;) clock.moveTo(Math.min(until, clock.nextClose))
  }

  orders(symbol?: string): readonly PracticeOrder[] {
    return this.#core.world.ledger.copyOrders(symbol)
  }

  trades(symbol?: string): readonly PracticeTrade[] {
    return this.#core.world.ledger.copyTrades(symbol)
  }

  /** Orders that were ever accepted. */
  get accepted(): number {
    return this.#core.world.ledger.accepted
  }

  balance(asset: string): { readonly free: number; readonly locked: number } {
    return this.#core.world.balances.of(asset)
  }

  setFaults(plan: FaultPlan): void {
    this.#core.setFaults(plan)
  }

  /** A request as somebody else's client would send it. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, params: Readonly<Record<string, string>>): Response {
    const query = new URLSearchParams({ symbol: 'BTCUSDT', timestamp: String(this.now()), ...params }).toString()
    return this.answer(method, path, `${query}&signature=${signatureOf(query, '', KEYS.apiSecret)}`, '')
  }

  /** Throws what `fetch` throws for a connection that breaks; one that hangs ends the same way, only at once. */
  answer(method: string, path: string, query: string, body: string): Response {
    const endpoint = ENDPOINTS.find((one) => one.method === method && one.path === path)
    if (endpoint === undefined) return new Response('not found', { status: 404 })
    const outcome = this.#dispatcher.handle({ endpoint, query, body, apiKey: KEYS.apiKey })
    if (outcome.kind !== 'answer') throw new TypeError('fetch failed')
    return new Response(outcome.body, { status: outcome.status, headers: { ...outcome.headers, 'content-type': outcome.type } })
  }
}

/** The process died in the middle of a request. */
export class Crashed extends Error {}

interface Rule {
  readonly name: string
  readonly meddlings: (Meddling | null)[]
  readonly always: boolean
}

/** One process with a broker: what it does ends with it. */
interface Life {
  dead: boolean
  readonly crash: Promise<never>
  readonly die: () => void
}

function newLife(): Life {
  let die = (): void => {}
  const crash = new Promise<never>((_resolve, reject) => { die = () => { reject(new Crashed()) } })
  crash.catch(() => {})
  const life: Life = { dead: false, crash, die: () => { life.dead = true; die() } }
  return life
}

const NEVER = new Promise<never>(() => {})
/** Nothing listens there: requests are answered in this process. */
const VENUE: Venue = { name: 'practice', url: 'http://127.0.0.1:9', ...KEYS }

export interface DeskSetting {
  /** `open/high/low/close`, hourly from START on; the run begins at the first close. */
  readonly candles?: readonly string[]
  /** The same for a second symbol. */
  readonly eth?: readonly string[]
  readonly costs?: Costs
  readonly instrument?: Partial<Pick<Instrument, 'tickSize' | 'lotSize' | 'minNotional'>>
  readonly flags?: Partial<SymbolFlags>
  readonly balances?: Readonly<Record<string, number>>
  readonly faults?: FaultPlan
  readonly fillModel?: FillModelName
  readonly options?: Partial<BinanceBrokerOptions>
}

/**
 * A practice exchange, the broker `binance` in front of it through ccxt, and the trail that an order desk would have written. Requests
 * can be meddled with one by one, and the process can crash and start again from its trail.
 */
export class VenueDesk {
  readonly exchange: NearExchange
  readonly clock: Clock
  /** Every line so far. */
  readonly lines: PastLine[] = []
  readonly asked: Asked[] = []
  /** Everything that the loop was told, over all restarts. */
  readonly told: Execution[] = []
  readonly candles: Readonly<Record<string, readonly Candle[]>>
  halted: string | null = null
  broker!: Broker
  readonly #instruments: Readonly<Record<string, Instrument>>
  readonly #options: BinanceBrokerOptions
  #rules: Rule[] = []
  #nth: { left: number; readonly meddling: Meddling } | null = null
  #life = newLife()

  private constructor(
    exchange: NearExchange, instruments: Readonly<Record<string, Instrument>>,
    candles: Readonly<Record<string, readonly Candle[]>>, options: BinanceBrokerOptions,
  ) {
    this.exchange = exchange
    this.clock = { now: () => exchange.now(), reach: () => {}, sleep: async (ms) => { exchange.sleep(ms) } }
    this.#instruments = instruments
    this.candles = candles
    this.#options = options
  }

  static async open(setting: DeskSetting = {}): Promise<VenueDesk> {
    const { candles = [], eth, costs = FREE, instrument = STEPS, flags = {}, balances = { USDT: 10_000 }, faults, fillModel = 'conservative' } = setting
    const texts: Record<string, readonly string[]> = { [BTC]: fill(candles), ...(eth === undefined ? {} : { [ETH]: fill(eth) }) }
    const tapes = Object.entries(texts).map(([symbol, rows]) => {
      const columns = columnsOf(rows.map((text, index) => candleAt(index, text)))
      return { symbol, timeframe: '1h', columns, rows: rows.length, finer: null } as const
    })
    const instruments = Object.fromEntries(Object.keys(texts).map((symbol) => [symbol, instrumentOf(symbol, instrument)]))
    const exchange = new NearExchange({
      tapes, instruments, costs, fillModel, balances, startTime: closeOf(0), pace: 'stepped', symbolFlags: flags, ...(faults === undefined ? {} : { faults }),
    })
    const options = binance.options.parse({ slippageBps: costs.slippageBps, feeAsset: costs.feeAsset, ...setting.options })
    const known = Object.fromEntries(Object.entries(texts).map(([symbol, rows]) => [symbol, rows.map((text, index) => candleAt(index, text))]))
    const desk = new VenueDesk(exchange, instruments, known, options)
    desk.broker = await desk.#makeBroker(desk.#life, desk.#journal(desk.#life))
    return desk
  }

  /** The process is gone; the next one has only the trail. */
  async restart(): Promise<void> {
    this.#life.die()
    this.#life = newLife()
    this.broker = await this.#makeBroker(this.#life, this.#journal(this.#life))
  }

  /** A broker of another process, such as a person's, that has read the same trail and notes into one of its own. */
  async otherProcess(notes: PastLine[] = []): Promise<Broker> {
    const life = newLife()
    return this.#makeBroker(life, { note: (type, fields) => { notes.push(this.#line(type, this.clock.now(), fields)) } })
  }

  /** As the order desk does it: the intent first, unless it is in the trail already. */
  async submit(order: Approved<Order>): Promise<OrderReceipt> {
    const known = this.lines.some((line) => line.type === 'intent' && (line['order'] as { id?: string } | undefined)?.id === order.id)
    if (!known) this.lines.push(this.#line('intent', order.decidedAt, { symbol: order.symbol, order: orderFields(order) }))
    const receipt = await this.#alive(this.broker.submit(order))
    this.lines.push(this.#line('order', this.clock.now(), { id: receipt.orderId, symbol: order.symbol, state: receipt.state, reason: receipt.reason }))
    return receipt
  }

  /** Sleeps to the close of candle `index` and settles on it. */
  async candle(index: number, symbol = BTC): Promise<readonly Execution[]> {
    await this.clock.sleep(Math.max(0, closeOf(index) - this.clock.now()))
    return this.#settle(symbol, closeOf(index), this.candles[symbol][index])
  }

  /** Settles between candles, after `ms` of sleep. */
  async wake(ms = 0, symbol = BTC): Promise<readonly Execution[]> {
    await this.clock.sleep(ms)
    return this.#settle(symbol, this.clock.now())
  }

  async raiseStop(stop: number, symbol = BTC): Promise<void> {
    const fields = { event: 'stop-raised', symbol, to: stop }
    if (!this.lines.some((line) => line['event'] === 'stop-raised' && line['to'] === stop)) {
      this.lines.push(this.#line('order', this.clock.now(), fields))
    }
    await this.#alive(this.broker.raiseStop(symbol, stop))
  }

  /** The next requests of that name are meddled with in turn; null lets one through. */
  on(name: string, ...meddlings: readonly (Meddling | null)[]): void {
    this.#rules.push({ name, meddlings: [...meddlings], always: false })
  }

  /** All requests of that name are, until {@link calm}. */
  always(name: string, meddling: Meddling): void {
    this.#rules.push({ name, meddlings: [meddling], always: true })
  }

  calm(): void {
    this.#rules = []
    this.#nth = null
  }

  /** The request that is the `count`-th from now on, whatever it is, is meddled with. */
  onNth(count: number, meddling: Meddling): void {
    this.#nth = { left: count, meddling }
  }

  /** Events of the alarms so far. */
  get alarms(): string[] {
    return this.lines.filter(({ type }) => type === 'alarm').map((line) => String(line['event']))
  }

  /** Fills that the loop was told of, over all restarts. */
  get fills(): Fill[] {
    return this.told.filter((execution): execution is Fill => execution.kind === 'fill')
  }

  /** Client ids of what was placed at the exchange, in order. */
  get placed(): string[] {
    return this.exchange.orders().map(({ clientOrderId }) => clientOrderId)
  }

  get openOrders(): PracticeOrder[] {
    return this.exchange.orders().filter(({ status }) => status === 'NEW' || status === 'PARTIALLY_FILLED')
  }

  /** Requests of that name, such as `POST order`. */
  requests(name: string): Asked[] {
    return this.asked.filter((one) => one.name === name)
  }

  async #settle(symbol: string, now: number, candle?: Candle): Promise<readonly Execution[]> {
    const executions = (await this.#alive(this.broker.settle(now, symbol, candle))).map((execution) => ({ ...execution }))
    this.record(executions)
    return executions
  }

  /** Writes executions into the trail, as the order desk does. */
  record(executions: readonly Execution[]): void {
    this.told.push(...executions)
    for (const execution of executions) {
      const { symbol, time } = execution
      if (execution.kind === 'fill') this.lines.push(this.#line('fill', time, fillFields(execution)))
      else if (execution.kind === 'void') this.lines.push(this.#line('order', time, { id: null, symbol, state: 'void', reason: execution.reason }))
      else this.lines.push(this.#line('order', time, { id: execution.orderId, symbol, state: execution.state, reason: execution.reason }))
    }
  }

  #alive<T>(work: T | Promise<T>): Promise<T> {
    return Promise.race([work, this.#life.crash])
  }

  #line(type: string, time: number, fields: object): PastLine {
    return JSON.parse(JSON.stringify({ type, timestamp: isoTime(time), ...fields })) as PastLine
  }

  #journal(life: Life): Journal {
    return { note: (type, fields) => { if (!life.dead) this.lines.push(this.#line(type, this.clock.now(), fields)) } }
  }

  async #makeBroker(life: Life, journal: Journal): Promise<Broker> {
    const clock: Clock = {
      now: () => this.clock.now(), reach: () => {}, sleep: (ms, signal) => (life.dead ? NEVER : this.clock.sleep(ms, signal)),
    }
    const past = this.lines.filter(({ type }) => type === 'intent' || type === 'order' || type === 'fill')
    return binance.create(this.#options, testDeps(clock, { fetch: this.#fetch(life) }), {
      instruments: this.#instruments, timeframe: '1h', live: { venue: VENUE, journal, idPrefix: PREFIX, past, halted: () => this.halted },
    })
  }

  #fetch(life: Life): typeof fetch {
    return async (input, init) => {
      if (life.dead) return NEVER
      const url = new URL(String(input instanceof Request ? input.url : input))
      const method = init?.method ?? 'GET'
      const path = url.pathname.replace('/api/v3', '')
      const body = typeof init?.body === 'string' ? init.body : ''
      const params = Object.fromEntries([...url.searchParams, ...new URLSearchParams(body)])
      const one = { name: `${method} ${path.slice(1)}`, params, at: this.clock.now() }
      this.asked.push(one)
      const { executed, answer, first } = this.#meddlingFor(one) ?? { executed: true }
      await first?.()
      const real = executed ? this.exchange.answer(method, path, url.search.slice(1), body) : null
      if (answer === 'crash') {
        life.die()
        return NEVER
      }
      if (answer === 'break') throw new TypeError('fetch failed')
      if (answer === undefined) return real!
      if (typeof answer === 'function') return new Response(JSON.stringify(answer(await real!.json() as never)), { status: real!.status })
      return new Response(answer.text ?? JSON.stringify(answer.json), { status: answer.status ?? 200, ...(answer.headers === undefined ? {} : { headers: answer.headers }) })
    }
  }

  #meddlingFor({ name }: Asked): Meddling | null {
    if (this.#nth !== null && --this.#nth.left === 0) return this.#nth.meddling
    const rule = this.#rules.find((one) => one.name === name && (one.always || one.meddlings.length > 0))
    if (rule === undefined) return null
    return rule.always ? rule.meddlings[0] : rule.meddlings.shift()!
  }
}

/** Asserts that the loop was told every trade that the exchange made for us, once, and that no more was sold than bought. */
export function expectConserved({ exchange, fills }: VenueDesk): void {
  const ours = new Set(exchange.orders().filter(({ clientOrderId }) => clientOrderId.startsWith(`${PREFIX}-`)).map(({ orderId }) => orderId))
  const traded = { BUY: 0, SELL: 0, fees: 0 }
  for (const { orderId, side, quantity, fee, feeAsset } of exchange.trades()) {
    if (!ours.has(orderId)) continue
    traded[side] += quantity
    if (feeAsset === 'BTC') traded.fees += fee
  }
  const told = { BUY: 0, SELL: 0, fees: 0 }
  for (const { side, quantity, feeBase } of fills) {
    told[side === 'buy' ? 'BUY' : 'SELL'] += quantity
    told.fees += feeBase
  }
  for (const key of ['BUY', 'SELL', 'fees'] as const) expect(told[key], `${key} that were told`).toBeCloseTo(traded[key], 7)
  expect(traded.SELL).toBeLessThanOrEqual(traded.BUY - traded.fees + 1e-8)
}

/** At least a day of candles: what a test does not say is quiet. */
const fill = (candles: readonly string[]): readonly string[] => {
  const last = candles.at(-1) ?? QUIET
  const close = Number(last.split('/')[3])
  const quiet = `${close}/${close * 1.01}/${close * 0.99}/${close}`
  return [...candles, ...Array.from({ length: Math.max(0, 24 - candles.length) }, () => quiet)]
}

/** A broker that bought 10 at 100 at the close of candle 0 and was told so at the close of candle 1: stop 95, target 105. */
export async function holding(setting: DeskSetting = {}): Promise<VenueDesk> {
  const [first, second, ...rest] = setting.candles ?? []
  const desk = await VenueDesk.open({ ...setting, candles: [first ?? QUIET, second ?? QUIET, ...rest] })
  await desk.submit(buyAt(0))
  await desk.candle(1)
  return desk
}
