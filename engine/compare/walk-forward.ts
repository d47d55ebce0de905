import type { TradeColumns } from '../core/figures.ts'
import type { EpochMs } from '../core/time.ts'

/** Trades below which a training window says little about any threshold. */
export const THIN_TRAINING = 10

/** What one threshold's run did: its closed trades, in the order in which they were closed. */
export interface Candidate {
  readonly threshold: number
  readonly trades: TradeColumns
}

export interface Fold {
  readonly trainFrom: EpochMs
  /** End of the training and begin of the test. */
  readonly trainTo: EpochMs
  readonly testTo: EpochMs
}

export interface Choice extends Fold {
  readonly threshold: number
  /** Trades of the chosen threshold that were entered and resolved inside the training window, and what they came to. */
  readonly trainTrades: number
  readonly trainReturn: number
  /** The scenario's own threshold was kept, since no threshold had a trade that resolved. */
  readonly undecided: boolean
}

/** Windows of `train` and `test` ms that roll by `test`: the last test may be cut short by the tape's end. Empty when the tape is too short for one. */
export function foldsOf(from: EpochMs, to: EpochMs, train: number, test: number): Fold[] {
  const folds: Fold[] = []
  for (let start = from; start + train < to; start += test) {
    folds.push({ trainFrom: start, trainTo: start + train, testTo: Math.min(to, start + train + test) })
  }
  return folds
}

/**
 * Chooses a threshold on a training window: the highest compounded return of trades that were entered in it and whose outcome
 * was known at its end; the higher threshold where two are equal, since it trades less. Nothing after the window is looked at.
 */
export function choose(fold: Fold, candidates: readonly Candidate[], positionSize: number, candleMs: number, own: number): Choice {
  let best: Choice | null = null
  for (const { threshold, trades } of candidates) {
    let growth = 1
    let count = 0
    for (let row = 0; row < trades.length; row++) {
      // An exit is known at the close of its candle.
      if (trades.entryTime[row] < fold.trainFrom || trades.exitTime[row] + candleMs > fold.trainTo) continue
      growth *= 1 + positionSize * (trades.pnl[row] / trades.cost[row])
      count++
    }
    if (count === 0) continue
    const trainReturn = growth - 1
    if (best === null || trainReturn > best.trainReturn || (trainReturn === best.trainReturn && threshold > best.threshold)) {
      best = { ...fold, threshold, trainTrades: count, trainReturn, undecided: false }
    }
  }
  return best ?? { ...fold, threshold: own, trainTrades: 0, trainReturn: 0, undecided: true }
}
