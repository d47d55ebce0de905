import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDeps, registry, SimulatedClock, type World } from '../assemble.ts'
import { readTrail } from '../audit/reader.ts'
import { TrailSearch } from '../audit/trail-search.ts'
import { recallResolution, type Resolution, type ResolvedScenario } from '../config/resolve.ts'
import { costsOf } from '../config/resolve-policy.ts'
import type { DecisionCounts, ExitCounts } from '../core/figures.ts'
import { EXIT_REASONS } from '../core/order.ts'
import { baseRate, breakEvenRate, roundTripCosts } from '../core/policy.ts'
import { DAY_MS } from '../core/time.ts'
import { timeframeMs } from '../core/timeframe.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { recordedBatches } from '../explain/candles.ts'
import type { CandleBatch } from '../ports.ts'
import { readLiveRun } from '../positions.ts'
import { ChartCollector } from '../report/chart-candles.ts'
import { aiAssumptions, assumptions } from '../report/notes.ts'
import type { Baselines, OpenPosition, Rehearsal, ReportData } from '../report/report-data.ts'
import { courseOf } from '../session/course.ts'
import { openTape, writtenInstruments } from '../tape.ts'
import { readTrades } from './diff.ts'
import { recalledTrades } from './recalled-trades.ts'
import { figuresOf } from './show.ts'
import { folderOf, type Subject } from './subject.ts'

export interface Recalled {
  readonly data: ReportData
  /** What cannot be had any more, and why. */
  readonly notes: readonly string[]
}

const NO_BASELINES: Baselines = {
  buyAndHold: { finalEquity: null, totalReturn: null, note: 'the record of the run does not tell it' },
  flat: { finalEquity: null, totalReturn: null, note: 'the record of the run does not tell it' }, random: null,
}
const NO_DECISIONS: DecisionCounts = { total: 0, byStatus: {}, byReason: {}, byProvider: {}, aiAsked: 0, aiFlipped: 0 }
const NO_EXITS = Object.fromEntries(EXIT_REASONS.map((reason) => [reason, 0])) as ExitCounts

/** A day of the account, days since 1970, and its value; null where there is no table. */
export function readEquity(path: string): { readonly firstDay: number; readonly values: Float64Array } | null {
  const file = join(path, 'equity.csv')
  if (!existsSync(file)) return null
  const rows = readFileSync(file, 'utf8').split('\n').slice(1).filter((row) => row !== '').map((row) => row.split(','))
  const firstDay = rows.length === 0 ? 0 : Date.parse(`${rows[0][0]}T00:00:00Z`) / DAY_MS
  const values = Float64Array.from(rows, ([, equity]) => Number(equity))
  if (!Number.isInteger(firstDay) || values.some(Number.isNaN)) {
    throw new TapedeckError('TD_TRAIL_BROKEN', `${file}: expected rows of a day and its equity; restore the file`)
  }
  return { firstDay, values }
}

/**
 * What a finished run's report shows, from the files of the run and the candles as far as they are still there. Throws
 * TD_USAGE for a run that has no figures yet.
 */
export async function recallReport(subject: Subject, world: World): Promise<Recalled> {
  const { scenario, path, record, id, state } = subject
  const figures = figuresOf(record['figures'])
  const equity = readEquity(path)
  const rows = readTrades(path)
  if (scenario === null || figures === null || equity === null || rows === null) {
    const what = scenario === null ? 'its record does not tell the scenario' : figures === null ? 'it has no figures' : 'its tables are missing'
    throw new TapedeckError('TD_USAGE', `${path}: ${what}${state === 'finished' ? '' : ` (it is ${state})`}; a report is made of a run that has ended`)
  }
  const notes: string[] = []
  const search = existsSync(subject.trail) ? new TrailSearch(subject.trail) : null
  try {
    const { symbols, timeframe, policy } = scenario
    const { charts, firstOpen, lastOpen } = await seen(subject, scenario, search, world, notes)
    const decisions = (record['decisions'] ?? NO_DECISIONS) as DecisionCounts
    const costs = await costsIn(scenario, search, world)
    const lastDay = (equity.firstDay + equity.values.length - 1) * DAY_MS
    const [quote] = symbols.map((symbol) => symbol.split('/')[1])
    const noted = record['assumptions']
    return {
      notes,
      data: {
        run: id, name: scenario.name, symbols, timeframe, strategy: scenario.strategy.name,
        firstOpen: firstOpen ?? equity.firstDay * DAY_MS, lastOpen: lastOpen ?? lastDay,
        // As round as it was given: the quotient is off in its last places.
        startCash: Number((figures.finalEquity / (1 + figures.totalReturn)).toPrecision(12)), quote, figures,
        baselines: (record['baselines'] ?? NO_BASELINES) as Baselines,
        breakEven: { baseRate: baseRate(policy.stopLoss, policy.takeProfit), breakEven: breakEvenRate(policy.stopLoss, policy.takeProfit, costs), costs, minConfidence: policy.minConfidence },
        exits: { ...NO_EXITS, ...(record['exits'] as ExitCounts | undefined) }, decisions,
        bounds: (record['bounds'] ?? null) as ReportData['bounds'],
        trades: recalledTrades(rows, symbols, timeframeMs(timeframe), search),
        dailyEquity: equity.values, firstDay: equity.firstDay, charts,
        assumptions: Array.isArray(noted) ? noted as string[] : [...aiAssumptions(scenario, decisions), ...assumptions(scenario, [], tapeNotes(subject))],
        warnings: Array.isArray(record['warnings']) ? record['warnings'] as string[] : [],
        interrupted: state === 'interrupted', open: openIn(subject, notes), rehearsal: rehearsalIn(subject, notes),
      },
    }
  } finally {
    search?.close()
  }
}

const tapeNotes = ({ record }: Subject): readonly string[] => (record['data'] as { readonly notes?: readonly string[] } | null | undefined)?.notes ?? []

interface Seen {
  readonly charts: ReportData['charts']
  readonly firstOpen: number | null
  readonly lastOpen: number | null
}

/** The candles once more, for the chart and the span. */
async function seen(subject: Subject, scenario: ResolvedScenario, search: TrailSearch | null, world: World, notes: string[]): Promise<Seen> {
  const collectors = scenario.symbols.map((symbol) => new ChartCollector(symbol, timeframeMs(scenario.timeframe)))
  let [firstOpen, lastOpen] = [Infinity, -Infinity]
  const take = ({ symbol, columns, start, end }: CandleBatch): void => {
    collectors[scenario.symbols.indexOf(symbol)].add(columns, start, end)
    firstOpen = Math.min(firstOpen, columns.openTime[start])
    lastOpen = Math.max(lastOpen, columns.openTime[end - 1])
  }
  try {
    if (subject.record['venue'] !== undefined) {
      if (search === null) throw new TapedeckError('TD_RUN_MISSING', 'the run has no audit trail')
      for (const symbol of scenario.symbols) for (const batch of recordedBatches(search, symbol, scenario.timeframe, 0)) take(batch)
    } else {
      const resolution: Resolution = await recallResolution(scenario, folderOf(subject), registry)
      const market = await openTape(resolution, world)
      for await (const event of market.events()) if (event.kind === 'candles' && event.decides) take(event)
      const [then, now] = [filesOf(subject.record['data']), filesOf(market.facts?.() ?? null)]
      if (then !== null && JSON.stringify(then) !== JSON.stringify(now)) throw new TapedeckError('TD_FILE_MISSING', 'the candle files are not those of the run any more')
    }
  } catch (error) {
    if (!(error instanceof TapedeckError)) throw error
    notes.push(`the chart is left out: ${error.message}`)
    return { charts: [], firstOpen: null, lastOpen: null }
  }
  if (lastOpen < 0) return { charts: [], firstOpen: null, lastOpen: null }
  return { charts: collectors.map((collector) => collector.result()), firstOpen, lastOpen }
}

const filesOf = (facts: unknown): object | null => (facts as { readonly files?: object } | null | undefined)?.files ?? null

/** Round-trip costs as the run's broker charged them. */
async function costsIn(scenario: ResolvedScenario, search: TrailSearch | null, world: World): Promise<number> {
  for (const { fields } of search?.lines(0, Math.min(search.size, 1 << 14)) ?? []) {
    if (fields.type === 'session' && fields['event'] === 'account') return roundTripCosts(fields['costs'] as never)
  }
  try {
    const plugin = await registry.plugin('broker', scenario.broker.name)
    const deps = makeDeps(world, new SimulatedClock(), scenario.seed, plugin.env)
    const broker = await plugin.create(scenario.broker.options, deps, { instruments: writtenInstruments(scenario), timeframe: scenario.timeframe })
    return roundTripCosts((await broker.account()).costs)
  } catch {
    return costsOf(scenario.broker.options)
  }
}

function openIn({ record, path }: Subject, notes: string[]): readonly OpenPosition[] {
  if (record['venue'] === undefined) return []
  try {
    return readLiveRun(path, record).positions.map(({ symbol, entryTime, entryPrice, quantity, price, unrealised }) =>
      ({ symbol, entryTime, entryPrice, quantity, price, worth: quantity * price, unrealised }))
  } catch (error) {
    notes.push(`open positions are left out: ${messageOf(error)}`)
    return []
  }
}

function rehearsalIn({ record, kind, trail }: Subject, notes: string[]): Rehearsal | null {
  if (kind !== 'rehearsal') return null
  try {
    return { ...courseOf(readTrail(trail).lines), faults: Array.isArray(record['faults']) ? record['faults'] as string[] : [] }
  } catch (error) {
    notes.push(`how the rehearsal went is left out: ${messageOf(error)}`)
    return null
  }
}
