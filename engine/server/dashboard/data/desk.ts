import { signal } from '@preact/signals'
import type { Question } from '../parts/confirm.tsx'
import { messageOf, post } from './api.ts'
import { Follower } from './follow.ts'
import { Store } from './store.ts'
import type { PanicOutcome, Risk, Service, Status } from './types.ts'

/** Stands in the trail. */
const REASON = 'from the dashboard'

/** What a person does here, and what the page is showing them besides the panels. */
export class Desk {
  readonly store = new Store()
  readonly follower = new Follower(this.store)
  readonly question = signal<Question | null>(null)
  /** Id of the decision whose conversation is open. */
  readonly opened = signal<number | null>(null)
  /** What came of the last act. */
  readonly notice = signal<{ readonly text: string; readonly failed: boolean } | null>(null)
  /** Acts under way, by name: their buttons wait. */
  readonly busy = signal<ReadonlySet<string>>(new Set())

  get #real(): boolean {
    return this.store.run.current?.venue === 'mainnet'
  }

  toggle(): void {
    const running = this.store.status.current?.is_running === true
    const act = async (): Promise<string> => {
      const status = await post<Status>('/api/autonomous-toggle')
      this.store.status.set(status)
      void this.store.run.load()
      return status.is_running ? 'The loop is running.' : 'The loop has stopped. Stops and targets stay at the exchange.'
    }
    if (running || !this.#real) return void this.#do('toggle', act)
    this.question.value = {
      title: 'Start with real money?', does: 'Start', really: null,
      says: ['This run trades on mainnet: its orders spend real money.', 'Decisions begin with the next closed candle.'],
      act: async () => { this.#tell(await act()); return null },
    }
  }

  risk(action: 'halt' | 'resume'): void {
    void this.#do('risk', async () => {
      this.store.risk.set(await post<Risk>('/api/risk', { action, reason: REASON }))
      return action === 'halt' ? 'Halted: no orders until somebody resumes.' : 'Trading may go on.'
    })
  }

  service(name: string, action: 'enable' | 'disable'): void {
    void this.#do(`service ${name}`, async () => {
      const one = await post<Service>(`/api/providers/${encodeURIComponent(name)}`, { action })
      this.store.services.change((list) => list.map((other) => other.name === name ? one : other))
      return `${name} is ${one.state.toLowerCase()}.`
    })
  }

  leave(symbol: string): void {
    this.question.value = {
      title: `Close ${symbol}?`, does: `Close ${symbol}`, really: null,
      says: [
        `The stop and target of ${symbol} are cancelled and the whole holding is sold at the market.`,
        ...(this.#real ? ['This is mainnet: real money.'] : []),
        'The loop goes on and may buy again.',
      ],
      act: async () => {
        const { outcome } = await post<{ outcome: 'sold' | 'asked' }>('/api/positions', { symbol, confirm: true, reason: REASON })
        void this.store.positions.load()
        this.#tell(outcome === 'sold' ? `${symbol} is sold.` : `${symbol} is being closed.`)
        return null
      },
    }
  }

  panic(): void {
    const open = this.store.positions.current?.map(({ symbol }) => symbol) ?? []
    this.question.value = {
      title: 'Panic: halt and sell everything?', does: 'Halt and sell everything',
      says: [
        'The run is halted first: it sends no orders until somebody resumes it.',
        open.length === 0 ? 'No position is open as far as this page knows; whatever the run holds is sold.'
          : `Sold at the market, whatever the price: ${open.join(', ')}.`,
        'The run’s own orders are cancelled. Orders and holdings of others stay.',
      ],
      really: this.#real ? 'Really? This sells real holdings on mainnet at once and cannot be undone.'
        : 'Really? This sells at once and cannot be undone.',
      act: async () => {
        const { closed, failed } = await post<PanicOutcome>('/api/risk', { action: 'panic', confirm: true, reason: REASON })
        void Promise.all([this.store.risk, this.store.positions, this.store.status].map((one) => one.load()))
        const sold = closed.length === 0 ? 'Halted. There was nothing to sell.' : `Halted. Sold: ${closed.join(', ')}.`
        if (failed.length === 0) return sold
        throw new Error(`${sold} Still held: ${failed.map(({ symbol, message }) => `${symbol} (${message})`).join(', ')}`)
      },
    }
  }

  #tell(text: string, failed = false): void {
    this.notice.value = { text, failed }
  }

  async #do(name: string, act: () => Promise<string>): Promise<void> {
    if (this.busy.peek().has(name)) return
    this.busy.value = new Set([...this.busy.peek(), name])
    try {
      this.#tell(await act())
    } catch (error) {
      this.#tell(messageOf(error), true)
    } finally {
      this.busy.value = new Set([...this.busy.peek()].filter((other) => other !== name))
    }
  }
}
