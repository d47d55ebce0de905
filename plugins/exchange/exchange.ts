import type { EpochMs } from '../../engine/core/time.ts'
import { messageOf, TapedeckError } from '../../engine/errors.ts'
import { Core, type CoreOptions } from './core.ts'
import { Dispatcher, type RequestStep } from './dispatch.ts'
import type { FaultPlan } from './faults.ts'
import type { PracticeOrder, PracticeTrade } from './orders.ts'
import { createServer } from './server.ts'

export type { FaultKind, FaultPlan, FaultRule } from './faults.ts'
export { FAULTS, parseFault } from './faults.ts'
export type { SymbolFlags } from './listing.ts'
export type { PracticeOrder, PracticeTrade } from './orders.ts'
export type { PracticeTape } from './tape.ts'
export type { RequestStep } from './dispatch.ts'

/**
 * What the exchange is made of.
 * `instruments`: a tick or lot of 0 becomes 1e-8, the smallest step that Binance knows.
 * `balances`: free at start, by asset.
 * `pace`: stepped = time moves only through the control route; a number = so many simulated ms per real ms.
 * `journal`: everything that changes the exchange is appended to this file; an exchange started on it again is the same.
 * `symbolFlags`: what the symbols allow, where it is not everything.
 */
export interface PracticeOptions extends CoreOptions {
  readonly apiKey: string
  readonly apiSecret: string
  /** 0 (default): any free one. Always on 127.0.0.1. */
  readonly port?: number
  /** Told before a request is executed, after it was (its journal line is written), and after its answer left. Must not throw. */
  readonly onRequest?: (step: RequestStep) => void
}

export interface PracticeExchange {
  /** `http://127.0.0.1:PORT`: the API is below /api/v3, the control routes below /practice. */
  readonly url: string
  readonly port: number
  now(): EpochMs
  /** The first moment after the last candle's close. */
  readonly endTime: EpochMs
  /** Requests so far, and orders ever accepted. */
  readonly counts: { readonly signed: number; readonly public: number; readonly orders: number }
  /** Every order and trade since the start or the last reset, as copies. */
  orders(symbol?: string): readonly PracticeOrder[]
  trades(symbol?: string): readonly PracticeTrade[]
  balance(asset: string): { readonly free: number; readonly locked: number }
  /** Changes the faults from now on; counts start again. */
  setFaults(plan: FaultPlan): void
  /** Ends every connection, those that hang included. */
  close(): Promise<void>
}

/**
 * Starts a Binance-compatible spot exchange on loopback. Throws `TD_TRAIL_BROKEN` for a journal that is damaged or not
 * its own, `TD_USAGE` for a port that cannot be had.
 */
export async function startExchange(options: PracticeOptions): Promise<PracticeExchange> {
  const { apiKey, apiSecret, port: wanted = 0, onRequest = () => undefined } = options
  const core = new Core(options)
  const { clock, world: { ledger, balances } } = core
  const dispatcher = new Dispatcher(core, { apiKey, apiSecret }, onRequest)
  const counts = (): PracticeExchange['counts'] => ({ ...dispatcher.counts, orders: ledger.accepted })
  const app = createServer({ core, dispatcher, apiKey, counts })
  let closing: Promise<void> | null = null
  const close = async (): Promise<void> => {
    await app.close()
    core.close()
  }
  let url: string
  try {
    url = await app.listen({ host: '127.0.0.1', port: wanted })
  } catch (error) {
    await close()
    throw new TapedeckError(
      'TD_USAGE',
      `The practice exchange cannot listen on 127.0.0.1:${wanted}: ${messageOf(error)}. Name another port, or 0 for any free one.`,
      { cause: error },
    )
  }
  return {
    url,
    port: Number(new URL(url).port),
    now: () => clock.now(),
    endTime: clock.endTime,
    get counts() {
      return counts()
    },
    orders: (symbol) => now(() => ledger.copyOrders(symbol)),
    trades: (symbol) => now(() => ledger.copyTrades(symbol)),
    balance: (asset) => now(() => balances.of(asset)),
    setFaults: (plan) => core.setFaults(plan),
    close: () => (closing ??= close()),
  }

  /** What a running clock has passed since the last request counts too. */
  function now<T>(read: () => T): T {
    clock.now()
    return read()
  }
}
