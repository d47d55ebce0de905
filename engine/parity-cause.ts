import type { TrailLine } from './audit/reader.ts'
import { isoTime, type EpochMs } from './core/time.ts'
import type { ParityTrade } from './parity.ts'
import type { PastLine } from './ports.ts'
import { courseOf, type Course } from './session/course.ts'

type TimedLine = PastLine & { readonly time: EpochMs }

/** A trade on which the two sides differ; null where a side lacks it. The run's has the reason `open` while it is held. */
export interface Pair {
  readonly run: ParityTrade | null
  readonly backtest: ParityTrade | null
  /** Every trade of the side that lacks this one. */
  readonly otherSide: readonly ParityTrade[]
}

/** What the trail says about the time in which the two sides parted. */
export class Causes {
  readonly #bySymbol = new Map<unknown, TimedLine[]>()
  readonly #halts: Course['halts']
  readonly #candleMs: number
  readonly #endTime: EpochMs
  readonly #end: string

  /** `candleMs`: the timeframe; `endTime`: the last recorded candle's close. */
  constructor(lines: readonly TrailLine[], candleMs: number, endTime: EpochMs) {
    for (const { fields } of lines) {
      if (fields['symbol'] === undefined || fields.timestamp === null) continue
      const timed = { ...fields, time: Date.parse(fields.timestamp) }
      const known = this.#bySymbol.get(fields['symbol'])
      if (known === undefined) this.#bySymbol.set(fields['symbol'], [timed])
      else known.push(timed)
    }
    this.#halts = courseOf(lines).halts
    this.#candleMs = candleMs
    this.#endTime = endTime
    const last = lines.at(-1)?.fields
    this.#end = last?.type === 'session' && last['event'] === 'finished' ? 'the tape ended'
      : last?.type === 'session' && last['event'] === 'stopped' ? 'the run was stopped' : 'the run broke off'
  }

  /** One line: the cause's name, a colon, and what happened. */
  of({ run, backtest, otherSide }: Pair): string {
    const { symbol, entryTime } = (run ?? backtest)!
    if (run?.reason === 'operator') return 'operator: a person left the position'
    if (run?.reason === 'unprotected') return 'rejection: the venue would not protect the position, so it was sold'
    const held = (run === null || backtest === null) && otherSide.some((other) =>
      other.symbol === symbol && other.entryTime < entryTime && other.exitTime >= entryTime)
    if (held) return 'consequence: the other side still held a position of an earlier difference'
    const around = this.#bySymbol.get(symbol) ?? []
    const decision = around.find(({ type, time }) => type === 'decision' && time === entryTime)
    if (run === null && decision !== undefined && decision['status'] !== 'EXECUTED') return refusal(decision)
    const open = run?.reason === 'open'
    // Known at the latest when the candle in which both had left has closed.
    const until = Math.max(open ? backtest?.exitTime ?? Infinity : run?.exitTime ?? 0, backtest?.exitTime ?? 0) + this.#candleMs
    const halt = this.#halts.find(({ time }) => time >= entryTime && time <= until)
    if (halt !== undefined && (open || run?.exitTime !== backtest?.exitTime)) {
      return `halted: trading was halted at ${isoTime(halt.time)} (${halt.rule}) while the position was held`
    }
    const stillOpen = `still open: ${this.#end} while the position was held`
    if (open && until >= this.#endTime) return stillOpen
    // The decision fell at the close before the entry, on a candle that may have been corrected since.
    const during = around.filter(({ time }) => time >= entryTime - this.#candleMs && time <= until)
    if (during.some(({ type, event }) => type === 'alarm' && event === 'candle-revised')) {
      return 'revision: the venue corrected a candle after it had been decided on'
    }
    const alarm = during.find(({ type, time }) => type === 'alarm' && time >= entryTime)
    if (alarm !== undefined) return `fault: alarm ${String(alarm['event'])} at ${isoTime(alarm.time)}`
    if (during.some(({ reason }) => reason === 'missed')) return 'latency: candles became known too late to decide on'
    if (open) return stillOpen
    if (run !== null && backtest !== null && run.exitTime === backtest.exitTime && run.reason === backtest.reason) {
      return run.entryPrice !== backtest.entryPrice ? 'slippage: the entry was filled at another price'
        : 'price: the exit was filled at another price'
    }
    return 'unknown: nothing in the trail explains it; an earlier difference may have changed the equity'
  }
}

function refusal(decision: PastLine): string {
  const { status, reason } = decision as unknown as { readonly status: string; readonly reason: string }
  if (reason === 'halted') return 'halted: no entry was allowed'
  return ['late', 'missed', 'stale-market'].includes(reason) ? `latency: the decision was ${reason}`
    : `rejection: the decision was ${status}, ${reason}`
}
