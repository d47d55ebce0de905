import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { FILL_MODELS, type Costs, type FillModelName } from '../core/matching.ts'
import type { ResolvedScenario } from '../config/resolve.ts'
import { Bets } from './bets.ts'
import type { Disagreement } from './comparison.ts'
import { RangeIndex } from './range-index.ts'
import type { TapeColumns } from './tape-columns.ts'

/** Opinions of a pass are read again for this; a pass of rules over years of minutes has too many to be worth it. */
const MOST_BYTES = 64 * 1024 * 1024

interface Planned {
  readonly id: string
  readonly pass: string
  readonly resolution: { readonly scenario: ResolvedScenario }
  readonly read: { readonly window: { readonly candles: string }; readonly tape: TapeColumns; readonly costs: Costs }
}

interface Said {
  readonly action: string
  readonly answered: boolean | null
}

/** How the providers of each window disagree, with the pair of the first cell that has a stop and a target. */
export function disagreementsOf({ cells }: { readonly cells: readonly Planned[] }, out: string): Disagreement[] {
  const rows: Disagreement[] = []
  const groups = new Map<string, Planned[]>()
  for (const cell of cells) {
    // Passes may differ in more than in who is asked; only equal questions are laid side by side.
    const { providers: _providers, policy: _policy, ai: _ai, ...rest } = cell.resolution.scenario
    const key = JSON.stringify([cell.read.window.candles, rest])
    const group = groups.get(key) ?? []
    if (!group.some(({ pass }) => pass === cell.pass)) group.push(cell)
    groups.set(key, group)
  }
  for (const group of groups.values()) {
    const said = new Map(group.map((cell) => [cell.pass, readSaid(join(out, 'passes', cell.pass, 'opinions.jsonl'))]))
    for (const [at, a] of group.entries()) {
      for (const b of group.slice(at + 1)) {
        const [one, other] = [said.get(a.pass)!, said.get(b.pass)!]
        const names = [providerOf(a), providerOf(b)] as const
        if (one === null || other === null || names[0] === names[1]) continue
        rows.push(compareTwo(a, names, one, other))
      }
    }
  }
  return rows.filter(({ decisions }) => decisions > 0)
}

const providerOf = ({ resolution: { scenario } }: Planned): string =>
  scenario.ai === undefined ? 'technical' : scenario.providers.slice(0, -1).map(({ name }) => name).join(' → ')

function compareTwo(cell: Planned, [a, b]: readonly [string, string], one: Map<string, Said>, other: Map<string, Said>): Disagreement {
  const { resolution: { scenario } } = cell
  const came = eventsOf(cell)
  const table: Record<string, number> = {}
  let decisions = 0
  let same = 0
  const right = { a: { n: 0, hits: 0 }, b: { n: 0, hits: 0 } }
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const [x, y] = [one.get(key), other.get(key)]
    // Rules that say HOLD are not written down; a service that did not answer has no opinion.
    if ((x === undefined && a !== 'technical') || (y === undefined && b !== 'technical') || x?.answered === false || y?.answered === false) continue
    const [p, q] = [x?.action ?? 'HOLD', y?.action ?? 'HOLD']
    decisions++
    table[`${p} × ${q}`] = (table[`${p} × ${q}`] ?? 0) + 1
    if (p === q) {
      same++
      continue
    }
    const event = came(key)
    if (event === null) continue
    score(right.a, p, event)
    score(right.b, q, event)
  }
  return {
    scenario: scenario.name, a, b, decisions, agreement: decisions === 0 ? null : same / decisions, table,
    aRight: right.a.n === 0 ? null : right.a.hits / right.a.n, bRight: right.b.n === 0 ? null : right.b.hits / right.b.n,
  }
}

function score(sums: { n: number; hits: number }, action: string, event: 'target' | 'stop'): void {
  if (action === 'HOLD') return
  sums.n++
  if ((action === 'BUY') === (event === 'target')) sums.hits++
}

/** Which level came first after a decision; null where neither did, or there is no pair. */
function eventsOf({ resolution: { scenario }, read: { tape, costs } }: Planned): (key: string) => 'target' | 'stop' | null {
  const { policy, symbols, instruments, broker } = scenario
  if (policy.stopLoss === null || policy.takeProfit === null) return () => null
  const { fillModel = 'conservative', latencyCandles = 0 } = broker.options as { fillModel?: FillModelName; latencyCandles?: number }
  const rows = new Map<string, { symbol: number; row: number }>()
  const bets = tape.symbols.map((one, symbol) => {
    const { columns, length } = one
    // A decision is told by its time, the close of its candle: the time at which the next one opens.
    for (let row = 0; row < length; row++) rows.set(`${symbols[symbol]} ${columns.openTime[row]}`, { symbol, row: row - 1 })
    return new Bets(one, new RangeIndex(columns.low, columns.high, length), {
      ...policy, trailingStop: null, breakEvenAt: null, costs, model: FILL_MODELS[fillModel], tickSize: instruments[symbols[symbol]].tickSize, delay: 1 + latencyCandles,
    })
  })
  return (key) => {
    const at = rows.get(key)
    if (at === undefined || at.row < 0) return null
    const end = bets[at.symbol].at(at.row)?.end
    return end === 'target' || end === 'stop' ? end : null
  }
}

/** By symbol and time. null: too large to be read again. */
function readSaid(path: string): Map<string, Said> | null {
  if (!existsSync(path) || statSync(path).size > MOST_BYTES) return null
  const said = new Map<string, Said>()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue
    const { timestamp, symbol, action, answered } = JSON.parse(line) as Said & { readonly timestamp: string; readonly symbol: string }
    said.set(`${symbol} ${Date.parse(timestamp)}`, { action, answered })
  }
  return said
}
