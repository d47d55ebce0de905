import { FILL_MODELS, type Costs, type FillModelName } from '../../engine/core/matching.ts'
import type { Instrument } from '../../engine/core/instrument.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import { TapedeckError } from '../../engine/errors.ts'
import { accountEndpoints } from './account-endpoints.ts'
import { Balances } from './balances.ts'
import { Book } from './book.ts'
import { NO_TROUBLE } from './candle-trouble.ts'
import { ExchangeClock } from './clock.ts'
import { BinanceError } from './errors.ts'
import type { FaultPlan } from './faults.ts'
import { Journal, type JournalLine } from './journal.ts'
import { Ledger } from './ledger.ts'
import { listingOf, type Listing, type SymbolFlags } from './listing.ts'
import { marketEndpoints } from './market-endpoints.ts'
import { meetCandle } from './match.ts'
import { Misfortune } from './misfortune.ts'
import { orderEndpoints } from './order-endpoints.ts'
import { Params } from './params.ts'
import type { PracticeTape } from './tape.ts'
import type { Call, Endpoint, World } from './world.ts'

export const ENDPOINTS: readonly Endpoint[] = [...marketEndpoints, ...orderEndpoints, ...accountEndpoints]
export const nameOf = ({ method, path }: Endpoint): string => `${method} ${path}`
const BY_NAME = new Map(ENDPOINTS.map((endpoint) => [nameOf(endpoint), endpoint]))

export interface CoreOptions {
  readonly tapes: readonly PracticeTape[]
  readonly instruments: Readonly<Record<string, Instrument>>
  readonly costs: Costs
  readonly fillModel: FillModelName
  readonly balances: Readonly<Record<string, number>>
  readonly startTime: EpochMs
  readonly pace: 'stepped' | number
  readonly faults?: FaultPlan
  readonly journal?: string
  readonly symbolFlags?: Partial<SymbolFlags>
}

/** What a fault made of an execution. */
export interface Execution {
  readonly liquidity: number
  /** How often it is executed. */
  readonly times: number
}

/** Like the testnet after a reset: the quote asset is plentiful, and there is some of everything. */
const FRESH = { base: 1, quote: 10_000 }

const NOT_BOOKKEEPING = new Set(['signature', 'timestamp', 'recvWindow'])

/** The exchange without its network: time, orders, money, journal. Everything that changes it goes through here. */
export class Core {
  readonly world: World
  readonly clock: ExchangeClock
  misfortune: Misfortune
  readonly #journal: Journal | null
  /** Shares of targets hit since the last line; while restoring, those that are still to be hit. */
  #targets: number[] = []
  #restoring = true

  constructor(options: CoreOptions) {
    const listings = options.tapes.map((tape) => listingFor(tape, options))
    const assets = listings.flatMap(({ instrument: { base, quote } }) => [base, quote])
    const balances = new Balances(options.balances, assets)
    const ledger = new Ledger()
    const book = new Book(ledger, balances, options.costs)
    this.world = { listings: new Map(listings.map((listing) => [listing.id, listing])), costs: options.costs, balances, ledger, book }
    const model = FILL_MODELS[options.fillModel]
    this.misfortune = new Misfortune(options.faults ?? { rules: [] })
    this.clock = new ExchangeClock(listings, options.startTime, options.pace, {
      closed: (listing, closeTime) => {
        const { open } = ledger.of(listing.symbol)
        if (open.size === 0) return
        const targetShare = (): number => this.#targetShare(closeTime)
        meetCandle(book, open, { listing, candle: listing.tape.settling.newest(), closeTime, model, targetShare })
      },
      moved: (to, closes) => {
        if (this.#restoring || (closes === 0 && !this.clock.stepped)) return
        const targets = this.#targets.length === 0 ? {} : { targets: this.#targets }
        this.#write({ op: 'step', to, ...targets, ...this.#counts() })
        this.#targets = []
      },
    })
    const symbols = listings.map(({ symbol }) => symbol)
    this.#journal = options.journal === undefined ? null : new Journal(options.journal, { startTime: options.startTime, symbols })
    try {
      for (const line of this.#journal?.past ?? []) this.#repeat(line)
    } catch (error) {
      this.close()
      throw error
    }
    this.#targets = []
    this.#restoring = false
    this.clock.run()
  }

  setFaults(plan: FaultPlan): void {
    this.misfortune = new Misfortune(plan)
  }

  /** Answers one request, and writes it down when it may have changed something. Refusals are thrown as `BinanceError`. */
  execute(endpoint: Endpoint, call: Call, times: number): unknown {
    if (!endpoint.changes) return endpoint.answer(this.world, call)
    try {
      return this.#run(endpoint, call, times)
    } finally {
      const params = Object.fromEntries(Object.entries(call.params.values).filter(([name]) => !NOT_BOOKKEEPING.has(name)))
      const liquidity = call.liquidity === 1 ? {} : { liquidity: call.liquidity }
      this.#write({
        op: 'request', time: call.now, name: nameOf(endpoint), params, ...liquidity, ...(times === 1 ? {} : { times }), ...this.#counts(),
      })
    }
  }

  /** Orders and trades vanish, and the account gets a fresh allowance. */
  reset(): void {
    const { ledger, balances, listings } = this.world
    ledger.clear()
    const fresh: Record<string, number> = {}
    for (const { instrument } of listings.values()) fresh[instrument.base] ??= FRESH.base
    for (const { instrument } of listings.values()) fresh[instrument.quote] = FRESH.quote
    balances.setAll(fresh)
    if (!this.#restoring) this.#write({ op: 'reset', time: this.clock.now() })
  }

  close(): void {
    this.#journal?.close()
  }

  #run(endpoint: Endpoint, call: Call, times: number): unknown {
    try {
      return endpoint.answer(this.world, call)
    } finally {
      // The client hears of the first; what becomes of the others depends on what it left behind.
      for (let again = 1; again < times; again++) quietly(() => endpoint.answer(this.world, call))
    }
  }

  #targetShare(now: EpochMs): number {
    if (this.#restoring) return this.#targets.shift() ?? 1
    const share = this.misfortune.targetShare(now)
    this.#targets.push(share)
    return share
  }

  #repeat(line: JournalLine): void {
    if (line.op === 'open') return
    if (line.op === 'step') this.#targets = [...line.targets ?? []]
    this.clock.moveTo(line.op === 'step' ? line.to : line.time)
    if (line.op === 'reset') this.reset()
    if (line.op === 'request') {
      const endpoint = BY_NAME.get(line.name)
      if (endpoint === undefined) throw new TapedeckError('TD_TRAIL_BROKEN', `The journal names a request that does not exist: ${line.name}.`)
      const call = {
        params: new Params(line.params), now: line.time, serverTime: line.time, liquidity: line.liquidity ?? 1, emptyBook: false,
        candles: NO_TROUBLE,
      }
      quietly(() => this.#run(endpoint, call, line.times ?? 1))
    }
    if ('counts' in line && line.counts !== undefined) this.misfortune.resume(line.counts)
  }

  #counts(): { counts?: number[] } {
    const { counts } = this.misfortune
    return counts.length === 0 ? {} : { counts: [...counts] }
  }

  #write(line: JournalLine): void {
    this.#journal?.append(line)
  }
}

/** A refusal changes nothing more than what was done before it. */
function quietly(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof BinanceError)) throw error
  }
}

function listingFor(tape: PracticeTape, { instruments, symbolFlags }: CoreOptions): Listing {
  if (!Object.hasOwn(instruments, tape.symbol)) {
    throw new TapedeckError('TD_RANGE_INVALID', `The practice exchange has candles of ${tape.symbol} but no instrument for it.`)
  }
  if (tape.rows === 0) throw new TapedeckError('TD_TAPE_EMPTY', `The practice exchange has no candle of ${tape.symbol}.`)
  return listingOf(tape, instruments[tape.symbol], symbolFlags)
}
