import { assembleOne, SimulatedClock, type World } from './assemble.ts'
import { endsSession } from './audit/reader.ts'
import { Trail } from './audit/trail.ts'
import { scenarioHash } from './backtest.ts'
import { sendsOrders } from './live.ts'
import { readRecordedRun } from './recorded-run.ts'
import { Difference, Past } from './session/past.ts'
import { RecordedAnswers } from './session/recorded-answers.ts'
import { PastOver, RecordedMarket, ReplayBroker, ReplayMarket } from './session/retrace.ts'
import { runSession } from './session/session.ts'
import { verifyRun, type Verification } from './verify.ts'

export interface ReplayResult {
  readonly run: string
  /** Decisions that were made again. */
  readonly decisions: number
  readonly lines: number
  /** Lines among them that plugins and starts of the process left: they are fed, not made again. */
  readonly notes: number
  /** Starts after the first. */
  readonly restarts: number
  /** null: every line came out the same, byte by byte. */
  readonly difference: { readonly line: number; readonly recorded: string; readonly replayed: string } | null
  /** What is wrong with the trail itself, or null: see `verify`. */
  readonly fault: Verification['firstFault']
}

/**
 * Feeds everything that came from outside — candles, wake-ups, answers of the broker, acts of people, restarts — in its
 * recorded order to the loop and compares each line that it writes with the recorded one. Throws what reading a run
 * throws.
 */
export async function replay(path: string, world: World): Promise<ReplayResult> {
  const { record, lines, terms, resolution } = await readRecordedRun(path)
  const { scenario, plugins: { strategy } } = resolution
  const { symbols, timeframe } = scenario
  const run = record['run'] as string
  // Notes are repeated as they stand, so only the chain can tell that nobody changed one.
  const { firstFault: fault } = verifyRun(path)
  const ended = endsSession(lines.at(-1)!.fields)
  let decisions = 0
  const past = new Past(lines, (notes) => trail.skip(notes), () => {})
  const trail: Trail = new Trail('full', { run, timeframe, scored: strategy.scored === true }, (bytes) => {
    const text = Buffer.from(bytes).toString('utf8', 0, bytes.length - 1)
    if (past.over) {
      // A run that was killed may have been about to write more; one that ended by itself was not.
      if (ended) throw new Difference(lines.length + 1, '(the run ended here)', text)
      return
    }
    past.retrace(text)
    if (text.startsWith('{"type": "decision"')) decisions++
  }, () => past.over)
  const restarts = lines.filter(({ fields }) => fields.type === 'session' && fields['event'] === 'restarted').length
  const result = (difference: ReplayResult['difference']): ReplayResult =>
    ({ run, decisions, lines: lines.length, notes: past.notes, restarts, difference, fault })
  try {
    trail.line('session', null, { event: 'start', scenario: scenarioHash(scenario), symbols, timeframe })
    trail.line('session', null, { event: 'account', ...terms })
    const { plan } = await assembleOne(resolution, world, {
      market: new RecordedMarket(new ReplayMarket(past, timeframe, terms.instruments, null), trail),
      broker: new ReplayBroker(past, terms, null), terms, trail, clock: new SimulatedClock(), atEnd: 'keep', sends: sendsOrders(record),
      answers: () => new RecordedAnswers(past, trail, null),
    })
    await runSession(plan)
    world.signal.throwIfAborted()
    return result(null)
  } catch (error) {
    if (error instanceof PastOver) return result(null)
    if (!(error instanceof Difference)) throw error
    const { line, recorded, replayed } = error
    return result({ line, recorded, replayed })
  }
}
