import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rawLines, textOf } from '../audit/raw-lines.ts'
import { parseTrailLine } from '../audit/reader.ts'
import type { Figures } from '../core/figures.ts'
import type { PastLine } from '../ports.ts'
import { leaves, same } from './settings.ts'
import { figuresOf } from './show.ts'
import type { Subject } from './subject.ts'

export interface SettingDifference {
  readonly path: string
  /** undefined: it has none. */
  readonly a: unknown
  readonly b: unknown
}

/** A closed trade as trades.csv has it; times in ms. */
export type TradeRow = Readonly<Record<string, string>>

/** The first at which two runs are not the same; null on the side that has no more. */
export interface Parting<T> {
  /** From 1. */
  readonly number: number
  readonly a: T | null
  readonly b: T | null
}

export interface DecisionMark {
  readonly seq: number
  readonly time: string
  readonly symbol: string
  readonly action: string
  readonly confidence: number | null
  readonly status: string
  readonly reason: string | null
}

export interface RunDifference {
  readonly a: string
  readonly b: string
  readonly settings: readonly SettingDifference[]
  readonly figures: { readonly a: Figures | null; readonly b: Figures | null }
  /** null: all trades are the same. */
  readonly trade: Parting<TradeRow> | null
  /** null: all decisions that both trails hold are the same. */
  readonly decision: Parting<DecisionMark> | null
  readonly notes: readonly string[]
}

/** What two runs do not have in common. */
export function diffRuns(a: Subject, b: Subject): RunDifference {
  const notes: string[] = []
  const trades = [a, b].map((subject) => tradesOf(subject, notes))
  const [left, right] = trades
  return {
    a: a.id, b: b.id, settings: settingDifferences(a, b),
    figures: { a: figuresOf(a.record['figures']), b: figuresOf(b.record['figures']) },
    trade: left === null || right === null ? null : firstParting(left, right, (one, other) => TRADE_KEYS.every((key) => one[key] === other[key])),
    decision: decisionParting(a, b, notes), notes,
  }
}

function settingDifferences(a: Subject, b: Subject): SettingDifference[] {
  const [left, right] = [a, b].map(({ scenario }) => new Map(leaves(scenario ?? {}).map(({ path, value }) => [path, value])))
  const paths = new Set([...left.keys(), ...right.keys()])
  return [...paths].filter((path) => !same(left.get(path), right.get(path))).map((path) => ({ path, a: left.get(path), b: right.get(path) }))
}

const TRADE_KEYS = ['symbol', 'entryTime', 'entryPrice', 'exitTime', 'exitPrice', 'quantity', 'reason']

/** Rows of trades.csv, whose cells hold no comma and no quote; null where there is none. */
export function readTrades(path: string): readonly TradeRow[] | null {
  const file = join(path, 'trades.csv')
  if (!existsSync(file)) return null
  const [head, ...rows] = readFileSync(file, 'utf8').split('\n').filter((row) => row !== '').map((row) => row.split(','))
  return rows.map((cells) => Object.fromEntries(head.map((name, index) => [name, cells[index] ?? ''])))
}

function tradesOf({ path, id }: Subject, notes: string[]): readonly TradeRow[] | null {
  const rows = readTrades(path)
  if (rows === null) notes.push(`${id} has no trades.csv, so that trades are not compared.`)
  return rows
}

function firstParting<T>(a: readonly T[], b: readonly T[], equal: (one: T, other: T) => boolean): Parting<T> | null {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    if (index < a.length && index < b.length && equal(a[index], b[index])) continue
    return { number: index + 1, a: a.at(index) ?? null, b: b.at(index) ?? null }
  }
  return null
}

/** Both trails decision by decision, as they were written, until the first that is another. */
function decisionParting(a: Subject, b: Subject, notes: string[]): Parting<DecisionMark> | null {
  const missing = [a, b].filter(({ trail }) => !existsSync(trail))
  if (missing.length > 0) {
    notes.push(`${missing.map(({ id }) => id).join(' and ')} ${missing.length === 1 ? 'has' : 'have'} no audit trail, so that decisions are not compared.`)
    return null
  }
  // A trail of trades leaves out what came to nothing.
  const whole = [a, b].every(({ scenario, record }) => (scenario?.audit ?? 'full') === 'full' || record['venue'] !== undefined)
  if (!whole) notes.push('A trail that was not written in full holds no decision that came to nothing: only orders are compared.')
  const [left, right] = [a, b].map(({ trail }) => decisionsOf(trail, whole))
  for (let number = 1; ; number++) {
    const [one, other] = [left.next(), right.next()]
    if (one.done === true && other.done === true) return null
    const marks = { a: one.done === true ? null : one.value, b: other.done === true ? null : other.value }
    if (marks.a !== null && marks.b !== null && sameDecision(marks.a, marks.b)) continue
    return { number, ...marks }
  }
}

const sameDecision = ({ seq: _a, ...one }: DecisionMark, { seq: _b, ...other }: DecisionMark): boolean => same(one, other)

const DECISION = Buffer.from('{"type": "decision", ')
const IDLE = new Set(['SKIPPED', 'REJECTED'])

function* decisionsOf(trail: string, whole: boolean): Generator<DecisionMark, void, undefined> {
  for (const { bytes, whole: ends } of rawLines(trail)) {
    if (!ends || bytes.compare(DECISION, 0, DECISION.length, 0, DECISION.length) !== 0) continue
    const line = parseTrailLine(textOf(bytes))
    if (line === null) continue
    const mark = markOf(line.fields)
    if (whole || !IDLE.has(mark.status)) yield mark
  }
}

function markOf(line: PastLine): DecisionMark {
  const { seq, symbol, action, confidence, status, reason } = line as unknown as Omit<DecisionMark, 'time'>
  return { seq, time: line.timestamp ?? '', symbol, action, confidence, status, reason }
}
