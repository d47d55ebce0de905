import { createHash } from 'node:crypto'
import type { LaneMeasures } from '../core/figures.ts'
import { FILL_MODELS, type Costs, type FillModelName } from '../core/matching.ts'
import { computeFigures, dailyReturns, implausible, netReturns } from '../core/metrics.ts'
import type { Policy } from '../core/policy.ts'
import { timeframeMs } from '../core/timeframe.ts'
import { growthInterval, meanInterval, RESAMPLES } from '../core/statistics/bootstrap.ts'
import type { ResolvedScenario } from '../config/resolve.ts'
import type { DecisionRuns } from '../session/decision-runs.ts'
import { Bets, type BetTerms } from './bets.ts'
import { calibrationOf, refinementOf } from './calibration.ts'
import type { CalibrationSummary, RefinementValue } from './comparison.ts'
import { detailOf } from './detail.ts'
import { NOT_SCORED, type KeptCell } from './kept.ts'
import type { OpinionLog } from './opinion-log.ts'
import { outcomesOf, type BetPair } from './outcomes.ts'
import { randomRuns } from './random-runs.ts'
import { RangeIndex } from './range-index.ts'
import { earnedBy, regretsOf } from './regret.ts'
import type { TapeColumns } from './tape-columns.ts'

/** Days and trades below which an interval would promise more than is known. */
export const FEWEST_DAYS = 60
export const FEWEST_TRADES = 30

/** What all cells of a pass share once it has been played. */
export interface PlayedPass {
  readonly scenario: ResolvedScenario
  readonly tape: TapeColumns
  readonly log: OpinionLog
  readonly costs: Costs
  readonly warmup: number
  /** The strategy's own confidence means something. */
  readonly rulesScored: boolean
}

/** One cell's part of a played pass. */
export interface PlayedCell {
  readonly policy: Policy
  readonly measures: LaneMeasures
  readonly notes: DecisionRuns
}

/** Resampled trades of one interval, all draws together. */
const MOST_DRAWS = 10_000_000

type Evaluated = Pick<KeptCell,
  'netReturn' | 'interval' | 'tooShort' | 'figures' | 'calibration' | 'refinement' | 'random' | 'regret' | 'firstDay' | 'dailyEquity'
  | 'expectancyInterval' | 'detail' | 'detailOmitted' | 'warnings' | 'ambiguousCandles'>

interface Judged {
  readonly calibration: CalibrationSummary
  readonly refinement: RefinementValue | null
}

/** Everything about a pass's cells that one pass can tell. Bets and labels that cells have in common are made once. */
export class Evaluation {
  readonly #pass: PlayedPass
  readonly #indices: readonly RangeIndex[]
  readonly #judged = new Map<string, Judged>()
  readonly #cells = new Map<LaneMeasures, Map<string, Evaluated>>()

  constructor(pass: PlayedPass) {
    this.#pass = pass
    this.#indices = pass.tape.symbols.map(({ columns, length }) => new RangeIndex(columns.low, columns.high, length))
  }

  /** What a cell is worth. Cells that stood for each other all the way, and would leave at the same candles, are worth the same. */
  cell({ policy, measures, notes }: PlayedCell): Evaluated & Pick<KeptCell, 'coverage'> {
    const exits = this.#exits(policy)
    const key = createHash('sha256')
    for (const rows of exits) key.update(`${rows.length} `).update(new Uint8Array(rows.buffer))
    const name = key.digest('hex')
    const known = this.#cells.get(measures) ?? new Map<string, Evaluated>()
    this.#cells.set(measures, known)
    const evaluated = known.get(name) ?? this.#evaluate({ policy, measures, notes }, exits)
    known.set(name, evaluated)
    return { ...evaluated, coverage: coverageOf(this.#pass.log, policy.minConfidence) }
  }

  #evaluate({ policy, measures, notes }: PlayedCell, exits: readonly Int32Array[]): Evaluated {
    const { scenario: { seed }, tape: { symbols }, log, warmup } = this.#pass
    const figures = computeFigures(measures)
    const bets = symbols.map((tape, symbol) => new Bets(tape, this.#indices[symbol], this.#terms(policy, symbol), exits[symbol]))
    const terms = this.#terms(policy, 0)
    const earned = earnedBy(bets, symbols, measures.trades, terms)
    const { trades, dailyEquity, firstDay } = measures
    const returns = dailyReturns(dailyEquity)
    const days = returns.length
    const tooShort = days < FEWEST_DAYS ? `${days} days, an interval needs ${FEWEST_DAYS}`
      : trades.length < FEWEST_TRADES ? `${trades.length} trades, an interval needs ${FEWEST_TRADES}` : null
    const { detail, omitted } = detailOf(log, notes, trades, earned)
    return {
      netReturn: figures.totalReturn,
      interval: tooShort === null ? growthInterval(returns, { seed }) : null,
      tooShort, figures, ...this.#judge(policy),
      ambiguousCandles: figures.ambiguousCandles,
      random: randomRuns(trades, symbols, bets, { delay: terms.delay, warmup, positionSize: policy.positionSize, netReturn: figures.totalReturn, seed }),
      regret: regretsOf(log, notes, earned),
      firstDay, dailyEquity: [...dailyEquity],
      expectancyInterval: trades.length < FEWEST_TRADES ? null : meanInterval(netReturns(trades), { seed, resamples: Math.max(500, Math.min(RESAMPLES, Math.floor(MOST_DRAWS / trades.length))) }),
      detail, detailOmitted: omitted, warnings: implausible(figures),
    }
  }

  /** Labels depend on the pair and the horizon, on no threshold. */
  #judge(policy: Policy): Judged {
    const { stopLoss, takeProfit, maxHold } = policy
    const key = JSON.stringify([stopLoss, takeProfit, maxHold])
    const known = this.#judged.get(key)
    if (known !== undefined) return known
    const judged = stopLoss === null || takeProfit === null ? { calibration: NOT_SCORED, refinement: null } : this.#score(policy)
    this.#judged.set(key, judged)
    return judged
  }

  /** How far confidence was the share of events that came, under a policy's pair and horizon. */
  calibration(policy: Policy): CalibrationSummary {
    return this.#judge(policy).calibration
  }

  /** Bets that only the pair and the horizon end: what opinions foretell. */
  labels(policy: Policy): BetPair[] {
    return this.#pass.tape.symbols.map((tape, symbol) => {
      const terms = { ...this.#terms(policy, symbol), trailingStop: null, breakEvenAt: null }
      return { careful: new Bets(tape, this.#indices[symbol], terms), hopeful: new Bets(tape, this.#indices[symbol], { ...terms, model: FILL_MODELS.optimistic }) }
    })
  }

  #score(policy: Policy): Judged {
    const { scenario: { seed, timeframe }, tape: { symbols }, log, costs, rulesScored } = this.#pass
    const ms = timeframeMs(timeframe)
    const outcomes = outcomesOf(log, this.labels(policy), (symbol, row) => symbols[symbol].columns.openTime[row] + ms, rulesScored)
    const candles = Math.max(...symbols.map(({ length }) => length))
    return {
      calibration: calibrationOf(log, outcomes, policy, costs, outcomes.length === 0 ? 1 : candles / outcomes.length, seed),
      refinement: refinementOf(log, outcomes, seed),
    }
  }

  /** Per symbol, the candles whose SELL the policy obeys. */
  #exits(policy: Policy): Int32Array[] {
    return this.#pass.log.symbols.map(({ rows, said }) => {
      const exits: number[] = []
      for (let at = 0; at < rows.length; at++) {
        const { action, confidence } = said[at].opinion
        if (action === 'SELL' && confidence >= policy.minExitConfidence) exits.push(rows[at])
      }
      return Int32Array.from(exits)
    })
  }

  #terms(policy: Policy, symbol: number): BetTerms {
    const { scenario, costs } = this.#pass
    const { fillModel = 'conservative', latencyCandles = 0 } = scenario.broker.options as { fillModel?: FillModelName; latencyCandles?: number }
    const { tickSize } = scenario.instruments[scenario.symbols[symbol]]
    return { ...policy, costs, model: FILL_MODELS[fillModel], tickSize, delay: 1 + latencyCandles }
  }
}

/** Entries whose confidence is enough ÷ all entries that were proposed; null without any. */
function coverageOf(log: OpinionLog, minConfidence: number): number | null {
  let entries = 0
  let enough = 0
  for (const { said } of log.symbols) {
    for (const { opinion: { action, confidence } } of said) {
      if (action !== 'BUY') continue
      entries++
      if (confidence >= minConfidence) enough++
    }
  }
  return entries === 0 ? null : enough / entries
}
