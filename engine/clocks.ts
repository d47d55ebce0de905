import { z } from 'zod'
import { messageOf, TapedeckError } from './errors.ts'
import type { EpochMs } from './core/time.ts'
import type { Clock, Venue } from './ports.ts'

/** The machine's own time. */
export class RealClock implements Clock {
  now(): EpochMs { return Date.now() }
  reach(): void {}
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return pause(ms, signal)
  }
}

const state = z.object({ time: z.number(), ended: z.boolean() })

/**
 * Time of a practice exchange whose clock is stepped: it stands still while anything is being done and moves only when
 * somebody sleeps, from one candle close to the next at most.
 */
export class SteppedClock implements Clock {
  readonly #venue: Venue
  readonly #fetch: typeof fetch
  readonly #speed: number | null
  #now: EpochMs
  #ended: boolean

  private constructor(venue: Venue, fetch_: typeof fetch, speed: number | null, now: EpochMs, ended: boolean) {
    this.#venue = venue
    this.#fetch = fetch_
    this.#speed = speed
    this.#now = now
    this.#ended = ended
  }

  /** `speed` caps the pace: so many simulated ms per real one; null goes as fast as it can. Throws TD_EXCHANGE_FAILED. */
  static async of(venue: Venue, fetch_: typeof fetch, speed: number | null): Promise<SteppedClock> {
    const { time, ended } = await control(venue, fetch_, 'state')
    return new SteppedClock(venue, fetch_, speed, time, ended)
  }

  now(): EpochMs { return this.#now }
  /** Only the exchange moves it. */
  reach(): void {}

  /** The tape has come to its end. */
  get ended(): boolean { return this.#ended }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const until = this.#now + ms
    while (this.#now < until && signal?.aborted !== true) {
      const before = this.#now
      const { time, ended } = await control(this.#venue, this.#fetch, 'advance', { until })
      this.#now = time
      this.#ended = ended
      if (this.#speed !== null) await pause((time - before) / this.#speed, signal)
    }
  }
}

async function control(
  { url, apiKey }: Venue, fetch_: typeof fetch, route: 'state' | 'advance', body?: object,
): Promise<z.infer<typeof state>> {
  try {
    const answer = await fetch_(`${url}/practice/${route}`, {
      method: body === undefined ? 'GET' : 'POST', redirect: 'error',
      headers: { 'x-mbx-apikey': apiKey, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    return state.parse(await answer.json())
  } catch (error) {
    throw new TapedeckError('TD_EXCHANGE_FAILED', `${url}: the practice exchange does not move its clock (${messageOf(error)}); is it still running, and stepped?`, { cause: error })
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}
