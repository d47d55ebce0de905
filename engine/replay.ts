import { prepareDecisions, SimulatedClock, type World } from './assemble.ts'
import { Trail } from './audit/trail.ts'
import { scenarioHash } from './backtest.ts'
import { timeframeMs } from './core/timeframe.ts'
import { readRecordedRun } from './recorded-run.ts'
import { Lane } from './session/lane.ts'
import { Difference, Past } from './session/past.ts'
import { PastOver, RecordedMarket, ReplayBroker, ReplayMarket } from './session/retrace.ts'
import { runSession } from './session/session.ts'

export interface ReplayResult {
  readonly run: string
  /** Decisions that were made again. */
  readonly decisions: number
  readonly lines: number
  /** Starts after the first. */
  readonly restarts: number
  /** null: every line came out the same, byte by byte. */
  readonly difference: { readonly line: number; readonly recorded: string; readonly replayed: string } | null
}

/**
 * Feeds everything that came from outside — candles, wake-ups, answers of the broker, acts of people, restarts — in its
 * recorded order to the loop and compares each line that it writes with the recorded one. Throws what reading a run throws.
 */
export async function replay(path: string, world: World): Promise<ReplayResult> {
  const { record, lines, terms, resolution } = await readRecordedRun(path)
  const { scenario, plugins: { strategy } } = resolution
  const { symbols, timeframe } = scenario
  const run = record['run'] as string
  const clock = new SimulatedClock()
  let decisions = 0
  const past = new Past(lines, (notes) => trail.skip(notes), () => {})
  const trail: Trail = new Trail('full', { run, timeframe, scored: strategy.scored === true }, (bytes) => {
    // A run that was killed may have been about to write more.
    if (past.over) return
    const text = Buffer.from(bytes).toString('utf8', 0, bytes.length - 1)
    past.retrace(text)
    if (text.startsWith('{"type": "decision"')) decisions++
  }, () => past.over)
  const restarts = lines.filter(({ fields }) => fields.type === 'session' && fields['event'] === 'restarted').length
  const result = (difference: ReplayResult['difference']): ReplayResult => ({ run, decisions, lines: lines.length, restarts, difference })
  try {
    trail.line('session', null, { event: 'start', scenario: scenarioHash(scenario), symbols, timeframe })
    trail.line('session', null, { event: 'account', cash: terms.cash, costs: terms.costs, instruments: terms.instruments })
    const { tracks, chain, warmup } = await prepareDecisions(resolution, world, clock)
    const lane = new Lane({
      policy: scenario.policy, broker: new ReplayBroker(past, terms, null), account: terms,
      instruments: symbols.map((symbol) => terms.instruments[symbol]), timeframeMs: timeframeMs(timeframe), trail,
    }, [{ variant: 0, ...scenario.policy }])
    await runSession({
      market: new RecordedMarket(new ReplayMarket(past, timeframe, terms.instruments, null), trail), tracks, lanes: [lane], chain,
      timeframe, warmup, usesPortfolio: strategy.usesPortfolio === true, clock, signal: world.signal, atEnd: 'keep', stopwatch: world.stopwatch,
    })
    world.signal.throwIfAborted()
    return result(null)
  } catch (error) {
    if (error instanceof PastOver) return result(null)
    if (error instanceof Difference) return result({ line: error.line, recorded: error.recorded, replayed: error.replayed })
    throw error
  }
}
