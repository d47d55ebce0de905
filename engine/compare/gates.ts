import { TapedeckError } from '../errors.ts'
import type { Cell, Comparison } from './comparison.ts'

/** One condition that every candidate of a comparison has to meet. */
export interface Gate {
  readonly text: string
  readonly measure: string
  readonly operator: '>=' | '<=' | '>' | '<' | '=='
  readonly limit: number
}

export interface GateResult {
  readonly gate: string
  /** The cell's name. */
  readonly cell: string
  readonly passed: boolean
  readonly message: string
}

/** What a gate may ask of a cell. Names as in the JSON. With a baseline, gates hold the difference against the same cell of it. */
export const MEASURES: Readonly<Record<string, (cell: Cell) => number | null>> = {
  netReturn: ({ netReturn }) => netReturn,
  intervalLow: ({ interval }) => interval?.low ?? null,
  trades: ({ figures }) => figures.trades,
  maxDrawdown: ({ figures }) => figures.maxDrawdown,
  sharpe: ({ figures }) => figures.sharpe,
  expectancy: ({ figures }) => figures.expectancy,
  winRate: ({ figures }) => figures.winRate,
  profitFactor: ({ figures }) => figures.profitFactor,
  brierSkill: ({ calibration }) => calibration.skill,
  ece: ({ calibration }) => calibration.ece,
  answered: ({ answered }) => answered,
  coverage: ({ coverage }) => coverage,
  aiCost: ({ aiCost }) => aiCost,
  latencyP95: ({ latencyP95 }) => latencyP95,
  ambiguousCandles: ({ ambiguousCandles }) => ambiguousCandles,
  deflatedSharpe: ({ sharpeStats }) => sharpeStats?.deflatedRaw ?? null,
  randomPercentile: ({ random }) => random?.percentile ?? null,
}

const SYNTAX = /^\s*([A-Za-z]+)\s*(>=|<=|==|>|<)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*$/i

/** `netReturn>=-0.02`. Throws TD_USAGE for what is none. */
export function parseGate(text: string): Gate {
  const match = SYNTAX.exec(text)
  const known = Object.keys(MEASURES).join(', ')
  if (match === null) throw new TapedeckError('TD_USAGE', `--gate ${text}: expected MEASURE>=NUMBER, such as netReturn>=-0.02; measures are ${known}`)
  const [, measure, operator, limit] = match
  if (!Object.hasOwn(MEASURES, measure)) throw new TapedeckError('TD_USAGE', `--gate ${text}: there is no measure ${measure}; there are ${known}`)
  return { text: text.trim(), measure, operator: operator as Gate['operator'], limit: Number(limit) }
}

const HOLDS: Readonly<Record<Gate['operator'], (value: number, limit: number) => boolean>> = {
  '>=': (value, limit) => value >= limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '<': (value, limit) => value < limit,
  '==': (value, limit) => value === limit,
}

/** An earlier comparison, as far as gates need it. */
export type Earlier = Pick<Comparison, 'cells' | 'id'>

/**
 * Holds every candidate against every gate. With an earlier comparison a gate is about the change since then, cell by cell with
 * the same name; a cell that is new has nothing to be held against and passes, one that is gone fails. What is not known fails.
 */
export function holdGates({ cells }: Comparison, gates: readonly Gate[], earlier: Earlier | null): GateResult[] {
  const candidates = cells.filter(({ baseline }) => !baseline)
  const results = gates.flatMap((gate) => candidates.map((cell) => hold(cell, gate, earlier)))
  const gone = (earlier?.cells ?? []).filter(({ baseline, name }) => !baseline && !candidates.some((one) => one.name === name))
  return [...results, ...gone.map(({ name }) => ({ gate: 'same cells', cell: name, passed: false, message: `${name} is in the baseline and not in this comparison` }))]
}

function hold(cell: Cell, { text, measure, operator, limit }: Gate, earlier: Earlier | null): GateResult {
  const told = (passed: boolean, message: string): GateResult => ({ gate: text, cell: cell.name, passed, message })
  const value = MEASURES[measure](cell)
  if (value === null) return told(false, `${measure} is not known`)
  if (earlier === null) return told(HOLDS[operator](value, limit), `${measure} is ${short(value)}`)
  const before = earlier.cells.find(({ name, baseline }) => !baseline && name === cell.name)
  if (before === undefined) return told(true, 'new: the baseline has no cell of that name')
  const then = MEASURES[measure](before)
  if (then === null) return told(false, `${measure} is not known in the baseline`)
  return told(HOLDS[operator](value - then, limit), `${measure} changed by ${short(value - then)}: ${short(then)} → ${short(value)}`)
}

const short = (value: number): string => String(Number(value.toPrecision(6)))
