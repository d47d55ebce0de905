import type { CandleColumns } from './core/candle.ts'
import { prepareIndicators } from './core/indicators.ts'
import { SnapshotView } from './core/snapshot.ts'
import { timeframeMs, type Timeframe } from './core/timeframe.ts'
import type { Strategy } from './ports.ts'

/** How one value of a strategy reacts when the tape is cut elsewhere. */
export interface Movement {
  /** An indicator's name, or `action` / `confidence` of the opinion. */
  readonly name: string
  /** Later start: largest relative difference, and decisions concerned. Not 0 means that the warm-up is too short. */
  readonly startLargest: number
  readonly startMoved: number
  /** Earlier end: decisions that changed although only their future did. Not 0 means looking ahead. */
  readonly endMoved: number
}

export interface CheckResult {
  readonly movements: readonly Movement[]
  readonly warmup: number
  readonly candles: number
  readonly cuts: number
  /** Decisions compared over all cuts. */
  readonly compared: number
}

/** Relative differences up to this are the last bits of a sum begun elsewhere. */
export const TOLERANCE = 1e-6

/** What the strategy saw and said at each candle from the warm-up on; row k belongs to candle `warmup + k`. */
interface Seen {
  readonly values: readonly Float64Array[]
  readonly actions: readonly string[]
  readonly confidence: Float64Array
}

/**
 * Runs a strategy's indicators and rules over a tape, then over the same tape with its start and end shifted, and
 * compares what is said about the same candles.
 */
export async function checkStrategy<P>(
  strategy: Strategy<P>, params: P, tape: CandleColumns, timeframe: Timeframe, cuts: number,
): Promise<CheckResult> {
  const warmup = strategy.warmup(params)
  const specs = strategy.indicators(params)
  const makeBook = await prepareIndicators(specs)
  const candles = tape.openTime.length
  const look = (start: number, end: number): Seen => {
    const book = makeBook(warmup)
    const snapshot = new SnapshotView('CHECK/ONLY', book)
    if (strategy.usesPortfolio) snapshot.show(false)
    const rows = Math.max(0, end - start - warmup)
    const seen = { values: book.names.map(() => new Float64Array(rows)), actions: Array<string>(rows), confidence: new Float64Array(rows) }
    for (let row = start; row < end; row++) {
      const at = book.append(tape, row, row + 1)
      const index = row - start - warmup
      if (index < 0) continue
      snapshot.move(at, tape.openTime[row] + timeframeMs(timeframe), tape.close[row], tape.volume[row])
      for (let name = 0; name < book.names.length; name++) seen.values[name][index] = snapshot.nth(name)
      const { action, confidence } = strategy.technical(snapshot, params)
      seen.actions[index] = action
      seen.confidence[index] = confidence
    }
    return seen
  }

  const names = [...Object.keys(specs), 'action', 'confidence']
  const moves = names.map((name) => ({ name, startLargest: 0, startMoved: 0, endMoved: 0 }))
  const whole = look(0, candles)
  let compared = 0
  const compare = (other: Seen, offset: number, ended: boolean): void => {
    compared += other.actions.length
    for (let name = 0; name < names.length; name++) {
      const move = moves[name]
      for (let row = 0; row < other.actions.length; row++) {
        const difference = differs(whole, other, name, row + offset, row)
        if (difference === 0) continue
        if (ended) move.endMoved++
        else {
          if (difference > move.startLargest) move.startLargest = difference
          if (difference > TOLERANCE) move.startMoved++
        }
      }
    }
  }
  for (let cut = 1; cut <= cuts; cut++) {
    const shift = Math.floor((cut * Math.max(0, candles - warmup - 1)) / (cuts + 1))
    compare(look(shift, candles), shift, false)
    compare(look(0, candles - shift), 0, true)
  }
  return { movements: moves, warmup, candles, cuts, compared }
}

/** Relative difference of one value at the same candle; actions differ by 1 or not at all. */
function differs(a: Seen, b: Seen, name: number, rowA: number, rowB: number): number {
  if (name === a.values.length) return a.actions[rowA] === b.actions[rowB] ? 0 : 1
  const left = name < a.values.length ? a.values[name][rowA] : a.confidence[rowA]
  const right = name < a.values.length ? b.values[name][rowB] : b.confidence[rowB]
  if (left === right || (Number.isNaN(left) && Number.isNaN(right))) return 0
  if (Number.isNaN(left) || Number.isNaN(right)) return Infinity
  return Math.abs(left - right) / Math.max(Math.abs(left), Math.abs(right), 1e-12)
}
