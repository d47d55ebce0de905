import { signal } from '@preact/signals'
import { ApiError } from './api.ts'
import { moneyDigits } from './format.ts'
import { Resource } from './resource.ts'
import type {
  Alarm, Candles, Decision, Equity, Figures, Lane, PastRun, Position, Risk, Run, Service, Status, Trade,
} from './types.ts'

/** How many rows lists keep, however long the page stays open. */
export const KEPT = { decisions: 200, trades: 100, alarms: 50, candles: 600, marks: 500, points: 2_000, announcements: 3 } as const

const candlesPath = (symbol: string): string => `/api/candles?symbol=${encodeURIComponent(symbol)}&limit=${KEPT.candles}`

/** Everything the page knows of the server, one resource for each address. */
export class Store {
  readonly #failed = (error: unknown): void => {
    if (error instanceof ApiError && error.status === 401) this.locked.value = true
  }

  /** Somebody has to log in first. */
  readonly locked = signal(false)
  readonly status = new Resource<Status>('/api/autonomous-status', this.#failed)
  readonly run = new Resource<Run>('/api/run', this.#failed)
  readonly figures = new Resource<Figures>('/api/figures', this.#failed)
  readonly positions = new Resource<readonly Position[]>('/api/positions', this.#failed)
  readonly trades = new Resource<readonly Trade[]>(`/api/trades?limit=${KEPT.trades}`, this.#failed)
  readonly equity = new Resource<Equity>('/api/equity', this.#failed)
  readonly decisions = new Resource<readonly Decision[]>(`/api/decisions?limit=${KEPT.decisions}`, this.#failed)
  readonly risk = new Resource<Risk>('/api/risk', this.#failed)
  readonly services = new Resource<readonly Service[]>('/api/providers', this.#failed)
  readonly lanes = new Resource<readonly Lane[]>('/api/lanes', this.#failed)
  readonly alarms = new Resource<readonly Alarm[]>(`/api/alarms?limit=${KEPT.alarms}`, this.#failed)
  readonly runs = new Resource<readonly PastRun[]>('/api/runs', this.#failed)
  readonly candles = new Resource<Candles>('/api/candles', this.#failed)
  /** The symbol whose candles are shown; null before the run is known. */
  readonly symbol = signal<string | null>(null)

  /** Decimals of amounts of money. */
  get digits(): number { return moneyDigits(this.figures.value?.equity) }

  async loadAll(): Promise<void> {
    const { status, run, figures, positions, trades, equity, decisions, risk, services, lanes, alarms, runs } = this
    await Promise.all([
      run.load().then(() => this.#chooseSymbol()),
      ...[status, figures, positions, trades, equity, decisions, risk, services, lanes, alarms, runs].map((one) => one.load()),
    ])
  }

  async show(symbol: string): Promise<void> {
    this.symbol.value = symbol
    await this.candles.at(candlesPath(symbol))
  }

  async #chooseSymbol(): Promise<void> {
    const symbols = this.run.current?.symbols ?? []
    const chosen = this.symbol.peek()
    const symbol = chosen !== null && symbols.includes(chosen) ? chosen : symbols[0]
    if (symbol !== undefined) await this.show(symbol)
  }
}
