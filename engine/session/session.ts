import { copyCandle } from '../core/candle.ts'
import type { EpochMs } from '../core/time.ts'
import { timeframeMs, type Timeframe } from '../core/timeframe.ts'
import type { Consultation } from '../pipeline/consultation.ts'
import type { ProviderChain } from '../pipeline/provider-chain.ts'
import type { CandleBatch, Clock, MarketSource, OperatorAct } from '../ports.ts'
import type { Lane, Parted } from './lane.ts'
import { OpinionTally } from './tally.ts'
import type { Track } from './track.ts'

export interface SessionPlan {
  readonly market: MarketSource
  readonly tracks: readonly Track[]
  readonly lanes: readonly Lane[]
  readonly chain: ProviderChain
  readonly timeframe: Timeframe
  /** Candles per symbol that only feed indicators. */
  readonly warmup: number
  /** The opinion depends on the asking lane, so that each lane asks for itself. */
  readonly usesPortfolio: boolean
  readonly clock: Clock
  readonly signal: AbortSignal
  /** What happens to positions when the tape ends. */
  readonly atEnd: 'close' | 'keep'
  /** Milliseconds for measuring; never enters a decision. */
  readonly stopwatch: () => number
  /** Sees every batch before the loop does; its time does not count as the loop's. */
  readonly observe?: (batch: CandleBatch) => void
  /** Hears what is said about each candle, before any lane acts on it; `track` looks at that candle. */
  readonly heard?: (track: Track, consultation: Consultation) => void
}

export interface SessionResult {
  /** Decision candles read, all symbols. */
  readonly candles: number
  /** Closes at which equity was marked: candles with the same close time are one moment. */
  readonly moments: number
  readonly firstOpen: EpochMs
  readonly lastOpen: EpochMs
  /** The last candle's last millisecond. */
  readonly lastClose: EpochMs
  /** What was said: one tally for all lanes, or one for each where opinions depend on the lane. */
  readonly opinions: readonly OpinionTally[]
  /** All lanes at the end: those of the plan and those that parted from them. */
  readonly lanes: readonly Lane[]
  readonly elapsedMs: number
  readonly interrupted: boolean
}

/**
 * The loop. Market events in; for each closed candle brokers settle, equity is marked, the strategy is consulted once
 * and every lane judges for itself. It knows no mode and awaits only what is really a promise.
 */
export async function runSession(plan: SessionPlan): Promise<SessionResult> {
  const session = new Session(plan)
  const { market, signal, stopwatch, observe } = plan
  const iterator = market.events()[Symbol.asyncIterator]()
  const begun = stopwatch()
  let waited = 0
  try {
    for (;;) {
      const asked = stopwatch()
      const next = await iterator.next()
      if (next.done !== true && next.value.kind === 'candles') observe?.(next.value)
      waited += stopwatch() - asked
      if (next.done === true) break
      const event = next.value
      if (event.kind === 'wake') await session.wake(event.time)
      else if (event.kind === 'operator') await session.operate(event)
      else await session.candles(event)
      if (signal.aborted) break
    }
    session.end()
  } finally {
    await iterator.return?.()
  }
  return session.result(stopwatch() - begun - waited)
}

/** The lane that stands for one of the run's variants. */
export function laneOf({ lanes }: SessionResult, variant: number): Lane {
  const lane = lanes.find(({ members }) => members.some((member) => member.variant === variant))
  if (lane === undefined) throw new Error(`no lane stands for variant ${variant}`)
  return lane
}

/** Rows that are gone through together: few enough to stay in the processor's cache while every lane passes. */
const STRETCH = 512

class Session {
  readonly #plan: SessionPlan
  readonly #lanes: Lane[]
  readonly #tracks: ReadonlyMap<string, Track>
  readonly #opinions: readonly OpinionTally[]
  /** Symbols whose candle closed at the moment that other symbols' candles still belong to. */
  readonly #waiting: Track[] = []
  readonly #ms: number
  #candles = 0
  #moments = 0
  #firstOpen: EpochMs = -1
  #lastOpen: EpochMs = -1

  constructor(plan: SessionPlan) {
    this.#plan = plan
    this.#lanes = plan.lanes.slice()
    this.#tracks = new Map(plan.tracks.map((track) => [track.symbol, track]))
    this.#opinions = (plan.usesPortfolio ? plan.lanes : [null]).map(() => new OpinionTally(plan.chain.links.length))
    this.#ms = timeframeMs(plan.timeframe)
  }

  async candles(batch: CandleBatch): Promise<void> {
    const track = this.#tracks.get(batch.symbol)
    if (track === undefined) throw new Error(`the market sent candles of ${batch.symbol}, which was not asked for`)
    if (!batch.decides) return this.#settleOnly(track, batch)
    const { columns, start, end, more } = batch
    if (track.last === null) this.#begin(track, columns.openTime[start])
    track.open(batch)
    track.arrivedLateMs = batch.arrivedAt === undefined ? 0 : Math.max(0, batch.arrivedAt - columns.openTime[end - 1] - this.#ms)
    track.missed = batch.missed === true && track.number >= this.#plan.warmup
    // One symbol whose opinions all lanes share: what is said at a row depends on no lane, so a stretch of rows is asked
    // about first and each lane then goes through it at its own pace. Otherwise candle by candle, lane beside lane.
    if (!more && this.#waiting.length === 0 && !this.#plan.usesPortfolio) {
      for (let row = start; row < end; row += STRETCH) await this.#atOwnPace(track, batch, row, Math.min(end, row + STRETCH))
    } else for (let row = start; row < end; row++) await this.#sideBySide(track, row, batch)
    track.keep()
    // What waits for other symbols' candles of the same moment has not been decided on yet.
    if (!more) track.advance()
    this.#candles += end - start
    this.#lastOpen = columns.openTime[end - 1]
  }

  /** Nothing closed, but orders may have met the market. */
  async wake(time: EpochMs): Promise<void> {
    this.#plan.clock.reach(time)
    for (const lane of this.#lanes) for (const track of this.#plan.tracks) if (lane.awake) await lane.wake(time, track)
  }

  /** A person has spoken. */
  async operate({ act, symbol, time, reason }: OperatorAct): Promise<void> {
    this.#plan.clock.reach(time)
    for (const lane of this.#lanes) {
      switch (act) {
        case 'halt':
          lane.halt(time, 'operator', `a person (${reason})`)
          break
        case 'reduce':
          lane.reduce(time)
          break
        case 'resume':
          lane.resume(time)
          break
        case 'close':
          for (const track of this.#plan.tracks) if (track.symbol === symbol) await lane.closeFor(track, time)
          break
      }
    }
  }

  /** The market has no more candles. */
  end(): void {
    if (this.#plan.atEnd === 'keep') return
    for (const lane of this.#lanes) {
      for (const track of this.#plan.tracks) if (track.settled !== null) lane.closeAtEnd(track, track.settled)
    }
  }

  result(elapsedMs: number): SessionResult {
    return {
      candles: this.#candles, moments: this.#moments, firstOpen: this.#firstOpen, lastOpen: this.#lastOpen,
      lastClose: this.#lastOpen + this.#ms - 1,
      opinions: this.#opinions, lanes: this.#lanes, elapsedMs, interrupted: this.#plan.signal.aborted,
    }
  }

  async #atOwnPace(track: Track, batch: CandleBatch, start: number, end: number): Promise<void> {
    track.begin(start)
    const asked = this.#consultRows(track, start, end)
    if (asked !== undefined) await asked
    // Lanes that part on the way come behind those that were there, and begin after the row at which they parted.
    const present = this.#lanes.length
    const begins: number[] = []
    for (let index = 0; index < this.#lanes.length; index++) {
      const lane = this.#lanes[index]
      const step = lane.walk(track, batch, index < present ? start : begins[index - present], end)
      if (step !== undefined) await step
      for (const parted of this.#adopt(lane)) begins.push(parted.row + 1)
    }
    this.#moments += end - start
  }

  /** Notes what is said at each row. Not an async function: those are compiled with less care, and this is the hot loop. */
  #consultRows(track: Track, from: number, end: number): Promise<void> | undefined {
    for (let row = from; row < end; row++) {
      track.at(row)
      const asked = this.#consult(track)
      if (asked instanceof Promise) {
        return asked.then((consultation) => {
          track.note(this.#count(track, consultation, 0))
          return this.#consultRows(track, row + 1, end)
        })
      }
      track.note(asked === null ? null : this.#count(track, asked, 0))
    }
    return undefined
  }

  async #sideBySide(track: Track, row: number, { settles, more }: CandleBatch): Promise<void> {
    const { usesPortfolio } = this.#plan
    track.at(row)
    this.#plan.clock.reach(track.snapshot.time)
    if (settles) for (const lane of this.#lanes) if (lane.awake) await lane.settle(track.snapshot.time, track, track.candle)
    this.#waiting.push(track)
    if (more) return
    this.#moments++
    for (const lane of this.#lanes) if (lane.awake) lane.mark(track.openTime)
    for (const closed of this.#waiting.splice(0)) {
      let consultation: Consultation | null = null
      // A copy, because lanes that part over this symbol have decided about it; about the next symbol they have not.
      for (const [index, lane] of this.#lanes.slice().entries()) {
        closed.snapshot.show(usesPortfolio ? lane.holds(closed) : null)
        if (index === 0 || usesPortfolio) {
          const asked = await this.#consult(closed)
          consultation = asked === null ? null : this.#count(closed, asked, usesPortfolio ? index : 0)
        }
        if (consultation !== null) await lane.decide(closed, consultation)
        else lane.unasked(closed)
        this.#adopt(lane)
      }
      if (closed !== track) closed.advance()
    }
  }

  /** Finer candles: orders meet them, nobody decides. */
  async #settleOnly(track: Track, { columns, start, end, timeframe }: CandleBatch): Promise<void> {
    const ms = timeframeMs(timeframe)
    for (let row = start; row < end; row++) {
      const time = columns.openTime[row] + ms
      this.#plan.clock.reach(time)
      track.candle.move(columns, row)
      for (const lane of this.#lanes) {
        const step = lane.awake ? lane.settle(time, track, track.candle) : undefined
        if (step !== undefined) await step
      }
    }
    track.settled = copyCandle(track.candle)
  }

  /** Lanes that parted from `lane` are the session's from now on. */
  #adopt(lane: Lane): readonly Parted[] {
    const parted = lane.takeParted()
    for (const one of parted) this.#lanes.push(one.lane)
    return parted
  }

  #begin(track: Track, openTime: EpochMs): void {
    for (const lane of this.#lanes) {
      if (this.#firstOpen < 0) lane.curve.start(openTime)
      // Replay and parity start their indicators at exactly this candle.
      lane.trail?.line('session', openTime + this.#ms, {
        event: 'warmup', symbol: track.symbol, first_candle: openTime, warmup: this.#plan.warmup,
      })
    }
    if (this.#firstOpen < 0) this.#firstOpen = openTime
  }

  /** null during warm-up, and where it is too late. */
  #consult(track: Track): Consultation | Promise<Consultation> | null {
    if (track.number < this.#plan.warmup || track.missed) return null
    this.#plan.clock.reach(track.snapshot.time)
    return this.#plan.chain.consult(track.conversation)
  }

  #count(track: Track, consultation: Consultation, tally: number): Consultation {
    this.#opinions[tally].count(consultation)
    this.#plan.heard?.(track, consultation)
    return consultation
  }
}
