import { signal } from '@preact/signals'
import { ApiError } from './api.ts'
import { moneyDigits } from './format.ts'
import { Resource } from './resource.ts'
import type {
  Alarm, Candles, Decision, Equity, Figures, Lane, PastRun, Position, Risk, Run, Service, Status, Trade,
} from './types.ts'

/** How many rows lists keep, however long the page stays open. */
export const KEPT = { decisions: 200, trades: 100, alarms: 50, candles: 600, points: 2_000, announcements: 3 } as const

const candlesPath = (symbol: string): string => `/api/candles?symbol=${encodeURIComponent(symbol)}&limit=${KEPT.candles}`

/** Everything the page knows of the server, one resource for each address. */
export class Store {
  readonly #failed = (error: unknown): void => {
    if (error instanceof ApiError && error.status === 401) this.locked.value = true
  }

  /** Loaded whenever everything is; candles only once a symbol has been chosen. */
  readonly #resources: Pick<Resource<unknown>, 'load' | 'loaded'>[] = []

  /** Somebody has to log in first. */
  readonly locked = signal(false)
  readonly status = this.#resource<Status>('/api/autonomous-status')
  readonly run = this.#resource<Run>('/api/run')
  readonly figures = this.#resource<Figures>('/api/figures')
  readonly positions = this.#resource<readonly Position[]>('/api/positions')
  readonly trades = this.#resource<readonly Trade[]>(`/api/trades?limit=${KEPT.trades}`)
  readonly equity = this.#resource<Equity>('/api/equity')
  readonly decisions = this.#resource<readonly Decision[]>(`/api/decisions?limit=${KEPT.decisions}`)
  readonly risk = this.#resource<Risk>('/api/risk')
  readonly services = this.#resource<readonly Service[]>('/api/providers')
  readonly lanes = this.#resource<readonly Lane[]>('/api/lanes')
  readonly alarms = this.#resource<readonly Alarm[]>(`/api/alarms?limit=${KEPT.alarms}`)
  readonly runs = this.#resource<readonly PastRun[]>('/api/runs')
  readonly candles = new Resource<Candles>('/api/candles', this.#failed)
  /** The symbol whose candles are shown; null before the run is known. */
  readonly symbol = signal<string | null>(null)

  /** Decimals of amounts of money. */
  get digits(): number { return moneyDigits(this.figures.value?.equity) }

  /** Whether an address has not answered for the first time yet. */
  get loading(): boolean {
    const asked = this.symbol.value === null ? this.#resources : [...this.#resources, this.candles]
    return asked.some(({ loaded }) => loaded.value.state === 'loading')
  }

  async loadAll(): Promise<void> {
    await Promise.all(this.#resources.map((one) => one === this.run ? this.run.load().then(() => this.#chooseSymbol()) : one.load()))
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

  #resource<T>(path: string): Resource<T> {
    const resource = new Resource<T>(path, this.#failed)
    this.#resources.push(resource)
    return resource
  }
}
