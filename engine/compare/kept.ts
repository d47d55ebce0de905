import type { Cell, CalibrationSummary, Interval, OpinionRow } from './comparison.ts'
import type { ResolvedScenario } from '../config/resolve.ts'

/** Raised when what is kept changes its meaning, so that older results are made anew. */
export const KEPT_FORMAT = 1

/** A decision worth reading: what was said, and what the cell did with it. */
export interface KeptDecision extends OpinionRow {
  readonly status: 'EXECUTED' | 'REJECTED'
  readonly reason: string | null
  /** A trade's net return, or what a refused one would have earned; null where that is not known. */
  readonly earned: number | null
}

/** What a pass found out about a cell: all that depends on no other cell. */
export interface KeptCell extends Pick<Cell,
  'id' | 'pass' | 'model' | 'netReturn' | 'interval' | 'tooShort' | 'figures' | 'exits' | 'decisions' | 'calibration' | 'refinement' | 'answered'
  | 'coverage' | 'aiCost' | 'latencyP95' | 'ambiguousCandles' | 'bounds' | 'random' | 'regret' | 'warnings' | 'firstDay' | 'dailyEquity'> {
  readonly format: typeof KEPT_FORMAT
  readonly cell: string
  readonly labels: Readonly<Record<string, string>>
  readonly scenario: ResolvedScenario
  /** Where the scenario's relative paths start. */
  readonly folder: string
  readonly candles: string
  readonly expectancyInterval: Interval | null
  readonly detail: readonly KeptDecision[]
  readonly detailOmitted: number
}

export const NOT_SCORED: CalibrationSummary = {
  scored: 0, resolved: 0, censored: 0, ambiguous: 0, effective: null, brier: null, brierInterval: null, skill: null, skillInterval: null,
  skillBounds: null, ece: null, reliability: null, resolution: null, uncertainty: null, baseRate: null, walkRate: null, breakEven: null,
  bins: [], medianResolution: null,
}
