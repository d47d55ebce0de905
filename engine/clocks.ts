import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { z } from 'zod'
import { isLoopbackOrigin } from './core/loopback.ts'
import { messageOf, TapedeckError } from './errors.ts'
import type { EpochMs } from './core/time.ts'
import type { Clock, Venue } from './ports.ts'
import { pause } from './real-clock.ts'

const state = z.object({ time: z.number(), ended: z.boolean(), held: z.boolean().default(false) })
const whole = state.extend({ endTime: z.number(), pace: z.union([z.literal('stepped'), z.number().positive()]) })

/**
 * Time of a practice exchange whose clock is stepped: it stands still while anything is being done and moves only when
 * somebody sleeps, from one candle close to the next at most.
 */
export class SteppedClock implements Clock {
  readonly #venue: Venue
  readonly #speed: number | null
  /** Tells the holder of the clock from others. */
  readonly #by = randomUUID()
  #now: EpochMs
  #ended: boolean

  private constructor(venue: Venue, speed: number | null, now: EpochMs, ended: boolean) {
    this.#venue = venue
    this.#speed = speed
    this.#now = now
    this.#ended = ended
  }

  /** `speed` caps the pace: so many simulated ms per real one; null goes as fast as it can. Throws TD_EXCHANGE_FAILED. */
  static async of(venue: Venue, speed: number | null): Promise<SteppedClock> {
    const { time, ended } = await control(venue, 'state', state)
    return new SteppedClock(venue, speed, time, ended)
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
      const { time, ended, held } = await control(this.#venue, 'advance', state, { until, by: this.#by })
      this.#now = time
      this.#ended = ended
      if (held) await pause(HELD_POLL_MS, signal)
      else if (this.#speed !== null) await pause((time - before) / this.#speed, signal)
    }
  }

  /**
   * Nobody else moves the exchange's time during `work`: requests of a process that does not set the pace would be too
   * old when they arrive. Waits while another process does the same. Throws TD_EXCHANGE_FAILED, and what `work` throws.
   */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (!await this.#hold(HOLD_MS)) await pause(HELD_POLL_MS)
    const renewal = setInterval(() => { this.#hold(HOLD_MS).catch(() => {}) }, HOLD_MS / 5)
    try {
      return await work()
    } finally {
      clearInterval(renewal)
      // It ends by itself, if not now.
      await this.#hold(0).catch(() => {})
    }
  }

  /** For so many real ms from now on. */
  async #hold(ms: number): Promise<boolean> {
    const { time, ended, held } = await control(this.#venue, 'hold', state, { by: this.#by, ms })
    this.#now = time
    this.#ended = ended
    return !held
  }
}

/** Time of a practice exchange that keeps its own: `pace` simulated ms pass in a real one. */
export class ScaledClock implements Clock {
  readonly #pace: number
  readonly #endTime: EpochMs
  readonly #met: { readonly simulated: EpochMs; readonly real: number }

  /** At `real`, by `performance.now()`, it was `simulated`. */
  constructor(simulated: EpochMs, real: number, pace: number, endTime: EpochMs) {
    this.#pace = pace
    this.#endTime = endTime
    this.#met = { simulated, real }
  }

  now(): EpochMs {
    return Math.floor(this.#met.simulated + (performance.now() - this.#met.real) * this.#pace)
  }

  /** It moves by itself. */
  reach(): void {}

  /** The tape has come to its end. */
  get ended(): boolean {
    return this.now() >= this.#endTime
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return pause(Math.ceil(ms / this.#pace), signal)
  }

  /** Nobody else ever moves it. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return work()
  }
}

/** The clock of a practice exchange, whichever it has; `speed` is for a stepped one. Throws TD_VENUE, TD_EXCHANGE_FAILED. */
export async function practiceClock(venue: Venue, speed: number | null): Promise<SteppedClock | ScaledClock> {
  if (!isLoopbackOrigin(venue.url ?? '')) {
    throw new TapedeckError('TD_VENUE',
      `${venue.url ?? 'nowhere'}: a practice exchange is on this machine, such as http://127.0.0.1:4711`)
  }
  const { pace } = await control(venue, 'state', whole)
  if (pace === 'stepped') return SteppedClock.of(venue, speed)
  // Asked again over the open connection, since what an answer takes is multiplied by the pace.
  const asked = performance.now()
  const { time, endTime } = await control(venue, 'state', whole)
  return new ScaledClock(time, (asked + performance.now()) / 2, pace, endTime)
}

/** One connection that stays open: the clock is told to move tens of thousands of times, and `fetch` takes thrice as long. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
/** Moving the clock past a candle takes milliseconds. */
const PATIENCE_MS = 10_000
/** Others go on after so many real ms when a holder has died. */
const HOLD_MS = 5_000
const HELD_POLL_MS = 20

async function control<T>({ url, apiKey }: Venue, route: 'state' | 'advance' | 'hold', schema: z.ZodType<T>, body?: object): Promise<T> {
  try {
    const { status, text } = await send(`${url}/practice/${route}`, apiKey, body === undefined ? null : JSON.stringify(body))
    if (status !== 200) throw new Error(`${status} ${text}`)
    return schema.parse(JSON.parse(text))
  } catch (error) {
    throw new TapedeckError('TD_EXCHANGE_FAILED',
      `${url}: the practice exchange does not tell or move its time (${messageOf(error)}); is it still running?`, { cause: error })
  }
}

function send(url: string, apiKey: string, body: string | null): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-mbx-apikey': apiKey, ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }) }
    const sent = request(url, { method: body === null ? 'GET' : 'POST', agent, headers, timeout: PATIENCE_MS }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => { text += part })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      answer.on('error', reject)
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)))
    sent.on('error', reject)
    sent.end(body ?? undefined)
  })
}
