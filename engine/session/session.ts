import { DAY_MS, type EpochMs } from '../core/time.ts'
import { timeframeMs, type Timeframe } from '../core/timeframe.ts'
import type { ProviderChain } from '../pipeline/provider-chain.ts'
import type { CandleBatch, Clock, MarketSource } from '../ports.ts'
import type { Lane } from './lane.ts'
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
}

export interface SessionResult {
  /** Decision candles read, all symbols. */
  readonly candles: number
  /** Closes at which equity was marked: candles with the same close time are one moment. */
  readonly moments: number
  readonly firstOpen: EpochMs
  readonly lastOpen: EpochMs
  readonly opinions: readonly OpinionTally[]
  readonly elapsedMs: number
  readonly interrupted: boolean
}

/**
 * The loop. Market events in; for each closed candle the brokers settle, equity is marked, the strategy is consulted
 * once and every lane judges for itself. It knows no mode and awaits only what is really a promise.
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
      const { done, value: event } = await iterator.next()
      if (done !== true && event.kind === 'candles') observe?.(event)
      waited += stopwatch() - asked
      if (done === true) break
      if (event.kind === 'wake') await session.wake(event.time)
      else await session.candles(event)
      if (signal.aborted) break
    }
    session.end()
  } finally {
    await iterator.return?.()
  }
  return session.result(stopwatch() - begun - waited)
}

type Step = Promise<void> | undefined

class Session {
  readonly #plan: SessionPlan
  readonly #lanes: readonly Lane[]
  /** Lanes that a candle may concern. The others cost nothing. */
  readonly #awake: Lane[] = []
  readonly #tracks: ReadonlyMap<string, Track>
  /** Lanes that write a line for a HOLD too, and lanes whose policy acts after decisions. */
  readonly #recorders: readonly Lane[]
  readonly #managers: readonly Lane[]
  readonly #opinions: readonly OpinionTally[]
  /** Symbols whose candle closed at the same moment as the next one's. */
  readonly #waiting: Track[] = []
  readonly #ms: number
  #candles = 0
  #moments = 0
  #firstOpen: EpochMs = -1
  #lastOpen: EpochMs = -1

  constructor(plan: SessionPlan) {
    this.#plan = plan
    this.#lanes = plan.lanes
    this.#tracks = new Map(plan.tracks.map((track) => [track.symbol, track]))
    this.#recorders = plan.lanes.filter((lane) => lane.trail?.full === true)
    this.#managers = plan.lanes.filter((lane) => lane.manages)
    this.#opinions = (plan.usesPortfolio ? plan.lanes : [null]).map(() => new OpinionTally(plan.chain.links.length))
    this.#ms = timeframeMs(plan.timeframe)
  }

  async candles(batch: CandleBatch): Promise<void> {
    const { columns, start, end, settles, decides, more } = batch
    const track = this.#tracks.get(batch.symbol)
    if (track === undefined) throw new Error(`the market sent candles of ${batch.symbol}, which was not asked for`)
    const awake = this.#awake
    const { candle } = track
    const { clock } = this.#plan
    const ms = decides ? this.#ms : timeframeMs(batch.timeframe)
    if (decides && track.count === 0) this.#begin(track, columns.openTime[start])
    const offset = decides ? track.append(batch) : 0
    for (let row = start; row < end; row++) {
      const time = columns.openTime[row] + ms
      clock.reach(time)
      candle.move(columns, row)
      if (settles) {
        for (let index = 0; index < awake.length; index++) {
          const step = awake[index].settle(time, track, candle)
          if (step !== undefined) await step
        }
      }
      if (!decides) continue
      track.close(row + offset, time)
      if (more) {
        this.#waiting.push(track)
        continue
      }
      this.#moments++
      if (awake.length > 0) this.#mark(time - 1)
      if (this.#waiting.length > 0) await this.#decideWaiting()
      const step = this.#decide(track)
      if (step !== undefined) await step
    }
    if (!decides) return
    this.#candles += end - start
    this.#lastOpen = columns.openTime[end - 1]
    track.keep()
  }

  /** Nothing closed, but orders may have met the market. */
  async wake(time: EpochMs): Promise<void> {
    this.#plan.clock.reach(time)
    for (const lane of this.#awake) for (const track of this.#plan.tracks) await lane.wake(time, track)
  }

  /** Marks every lane that is awake, and lets go of those that fall asleep. */
  #mark(closeTime: EpochMs): void {
    const awake = this.#awake
    const day = Math.floor(closeTime / DAY_MS)
    let kept = 0
    for (let index = 0; index < awake.length; index++) {
      const lane = awake[index]
      lane.mark(closeTime, day)
      lane.listed = lane.awake
      if (lane.awake) awake[kept++] = lane
    }
    while (awake.length > kept) awake.pop()
  }

  #list(lane: Lane): void {
    if (!lane.awake || lane.listed) return
    lane.listed = true
    this.#awake.push(lane)
  }

  /** The market has no more candles. */
  end(): void {
    if (this.#plan.atEnd === 'keep') return
    for (const lane of this.#lanes) {
      for (const track of this.#plan.tracks) if (track.last !== null) lane.closeAtEnd(track, track.last)
    }
  }

  result(elapsedMs: number): SessionResult {
    return {
      candles: this.#candles, moments: this.#moments, firstOpen: this.#firstOpen, lastOpen: this.#lastOpen,
      opinions: this.#opinions, elapsedMs, interrupted: this.#plan.signal.aborted,
    }
  }

  #begin(track: Track, openTime: EpochMs): void {
    if (this.#firstOpen < 0) {
      this.#firstOpen = openTime
      for (const lane of this.#lanes) lane.curve.start(openTime)
    }
    // Replay and parity start their indicators at exactly this candle.
    for (const lane of this.#lanes) {
      lane.trail?.line('session', openTime + this.#ms, {
        event: 'warmup', symbol: track.symbol, first_candle: openTime, warmup: this.#plan.warmup,
      })
    }
  }

  async #decideWaiting(): Promise<void> {
    for (const track of this.#waiting.splice(0)) await this.#decide(track)
  }

  #decide(track: Track): Step {
    if (track.count <= this.#plan.warmup) return undefined
    if (this.#plan.usesPortfolio) return this.#decideEach(track)
    const asked = this.#plan.chain.consult(track.conversation, track.consultation)
    return asked instanceof Promise ? asked.then(() => this.#judge(track)) : this.#judge(track)
  }

  /** One opinion for all lanes. */
  #judge(track: Track): Step {
    const { consultation } = track
    const held = consultation.opinion.action === 'HOLD'
    this.#opinions[0].count(consultation.link, held)
    if (!held) return this.#act(track, 0)
    for (let index = 0; index < this.#recorders.length; index++) this.#recorders[index].trail!.held(track.snapshot, consultation)
    return this.#managers.length > 0 ? this.#manage(track, 0) : undefined
  }

  #act(track: Track, from: number): Step {
    for (let index = from; index < this.#lanes.length; index++) {
      const lane = this.#lanes[index]
      const step = lane.act(track, track.consultation)
      this.#list(lane)
      if (step !== undefined) return step.then(() => this.#act(track, index + 1))
    }
    return this.#managers.length > 0 ? this.#manage(track, 0) : undefined
  }

  #manage(track: Track, from: number): Step {
    for (let index = from; index < this.#managers.length; index++) {
      const step = this.#managers[index].manage(track)
      if (step !== undefined) return step.then(() => this.#manage(track, index + 1))
    }
    return undefined
  }

  /** An opinion per lane, each seeing its own position. */
  #decideEach(track: Track, from = 0): Step {
    for (let index = from; index < this.#lanes.length; index++) {
      track.snapshot.show(this.#lanes[index].holds(track))
      const asked = this.#plan.chain.consult(track.conversation, track.consultation)
      const step = asked instanceof Promise ? asked.then(() => this.#judgeOne(track, index)) : this.#judgeOne(track, index)
      if (step !== undefined) return step.then(() => this.#decideEach(track, index + 1))
    }
    return undefined
  }

  #judgeOne(track: Track, index: number): Step {
    const { consultation } = track
    const lane = this.#lanes[index]
    const held = consultation.opinion.action === 'HOLD'
    this.#opinions[index].count(consultation.link, held)
    if (held) {
      if (lane.trail?.full === true) lane.trail.held(track.snapshot, consultation)
      return lane.manages ? lane.manage(track) : undefined
    }
    const step = lane.act(track, consultation)
    this.#list(lane)
    return step === undefined ? lane.manage(track) : step.then(() => lane.manage(track))
  }
}
