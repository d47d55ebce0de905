import { join } from 'node:path'
import { assemble, registry, type LaneVariant, type World } from './assemble.ts'
import { Trail } from './audit/trail.ts'
import { Evaluation, type PlayedPass } from './compare/evaluate.ts'
import { KEPT_FORMAT, type KeptCell } from './compare/kept.ts'
import { OpinionLog } from './compare/opinion-log.ts'
import { TapeColumns } from './compare/tape-columns.ts'
import { recallResolution, type ResolvedScenario } from './config/resolve.ts'
import type { FillModelName } from './core/matching.ts'
import type { Policy } from './core/policy.ts'
import { equity } from './core/portfolio.ts'
import { isoTime } from './core/time.ts'
import { timeframeMs } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import type { CandleBatch } from './ports.ts'
import type { Lane } from './session/lane.ts'
import { countDecisions, countExits, measureLane } from './session/measures.ts'
import { RunDirectory } from './session/run-directory.ts'
import { equityCsv, tradesCsv } from './session/run-tables.ts'
import { laneOf, runSession, type SessionResult } from './session/session.ts'

/** One cell that a pass is to play. */
export interface PassCell {
  readonly id: string
  readonly policy: Policy
  readonly labels: Readonly<Record<string, string>>
}

/** A pass over one tape with one chain of providers: plain data, since it may go to another thread. */
export interface PassRequest {
  readonly id: string
  /** The scenario; every cell replaces its policy. */
  readonly scenario: ResolvedScenario
  readonly folder: string
  readonly cells: readonly PassCell[]
  /** SHA-256 of the candles, as they were when the comparison began. */
  readonly candles: string
  readonly out: string
}

export interface PassOptions {
  readonly onProgress?: (share: number) => void
  readonly now: () => number
}

/** Folders below a comparison's `--out` in which cells and passes are kept by the hash of what they came from. */
export const CELLS = 'cells'
export const PASSES = 'passes'

/**
 * Plays a pass: every cell is a lane, opinions are asked once and written to the pass's opinions.jsonl. Writes each cell's folder
 * and returns what was kept. Rejects leaving no cell behind when it is interrupted or fails.
 */
export async function playPass(request: PassRequest, world: World, { onProgress, now }: PassOptions): Promise<KeptCell[]> {
  const { scenario, folder, cells, out } = request
  const startedAt = now()
  const directories: RunDirectory[] = []
  try {
    for (const { id } of cells) directories.push(new RunDirectory(join(out, CELLS), id))
    const played = await playVariants(request, world, cells.map(({ policy }) => ({ policy })), undefined, onProgress)
    const { session, plan } = played
    const kept: KeptCell[] = []
    const evaluation = new Evaluation(played.pass)
    // Variants that never parted are one lane, and their cells share its files.
    const writers = new Map<Lane, number>()
    const measured = new Map<unknown, ReturnType<typeof measureLane>>()
    for (const [variant, { id, policy, labels }] of cells.entries()) {
      const lane = laneOf(session, variant)
      const opinions = session.opinions[session.opinions.length === 1 ? 0 : variant]
      const measures = measured.get(lane) ?? measureLane(lane, session, opinions, plan.chain.links)
      measured.set(lane, measures)
      const ai = plan.chain.links.length > 1
      const judged = evaluation.cell({ policy, measures, notes: lane.notes! })
      kept.push({
        format: KEPT_FORMAT, cell: id, id, pass: request.id, labels, scenario: { ...scenario, policy }, folder, candles: request.candles,
        model: ai ? (plan.chain.links[0].provider.model ?? null) : null, ...judged,
        exits: countExits(measures), decisions: countDecisions(lane, opinions, plan.chain.links),
        answered: ai ? (opinions.asked === 0 ? null : opinions.answered / opinions.asked) : null,
        aiCost: opinions.costUsd, latencyP95: opinions.latencyP95(), bounds: null,
      })
      const writer = writers.get(lane)
      if (writer === undefined) {
        writers.set(lane, variant)
        directories[variant].writePieces('trades.csv', tradesCsv(measures.trades, scenario.symbols))
        directories[variant].writePieces('equity.csv', equityCsv(measures.dailyEquity, measures.firstDay))
      } else for (const name of ['trades.csv', 'equity.csv']) directories[variant].share(name, directories[writer])
    }
    const bounded = await boundsOf(request, world, kept)
    if (scenario.audit !== 'off') await writeAudits(request, world, played.session, directories, writers)
    writePass(request, played.pass.log, played.facts, { startedAt, finishedAt: now() })
    for (const [variant, cell] of bounded.entries()) {
      directories[variant].write('cell.json', `${JSON.stringify(cell)}\n`)
      directories[variant].finish()
    }
    return bounded
  } catch (error) {
    for (const directory of directories) directory.discard()
    throw error
  }
}

/** A pass that has been played. */
export interface Played {
  readonly session: SessionResult
  readonly plan: Awaited<ReturnType<typeof assemble>>['plan']
  readonly pass: PlayedPass
  readonly facts: unknown
}

/** Plays variants of a scenario as lanes of one pass, with the answers of its providers alone. Rejects when it is interrupted. */
export async function playVariants(
  { scenario, folder }: Pick<PassRequest, 'scenario' | 'folder'>, world: World, variants: readonly LaneVariant[],
  trails: readonly (Trail | null)[] = variants.map(() => null), onProgress?: (share: number) => void,
): Promise<Played> {
  const resolution = await recallResolution(scenario, folder, registry)
  const { market, plan, answers } = await assemble(resolution, world, 'close', variants, trails, { alone: true, notes: true })
  for (const trail of trails) trail?.line('session', null, { event: 'start', symbols: scenario.symbols, timeframe: scenario.timeframe })
  const tape = new TapeColumns(scenario.symbols)
  const log = new OpinionLog(scenario.symbols)
  const observe = (batch: CandleBatch): void => {
    tape.observe(batch)
    onProgress?.(market.progress?.() ?? 0)
  }
  const session = await runSession({ ...plan, observe, heard: log.heard }).finally(() => answers?.close())
  world.signal.throwIfAborted()
  if (session.candles === 0) throw new TapedeckError('TD_TAPE_EMPTY', `${scenario.name}: not one candle was read`)
  const { costs } = await plan.lanes[0].broker.account()
  return {
    session, plan, facts: market.facts?.() ?? null,
    pass: { scenario, tape, log, costs, warmup: plan.warmup, rulesScored: resolution.plugins.strategy.scored === true },
  }
}

/**
 * Plays the tape once more for the trails: variants that never parted are one lane, which is written down once, and whose cells
 * share the file. Lines name the pass as their run, so that it does not matter which cells share it.
 */
async function writeAudits(
  request: PassRequest, world: World, played: SessionResult, directories: readonly RunDirectory[], firsts: ReadonlyMap<Lane, number>,
): Promise<void> {
  const { scenario, folder, cells, id } = request
  const { plugins: { strategy } } = await recallResolution(scenario, folder, registry)
  const writers = [...firsts.values()]
  const about = { run: id, timeframe: scenario.timeframe, scored: strategy.scored === true }
  const trails = writers.map((variant) => new Trail(scenario.audit, about, directories[variant].appendAudit))
  const { session } = await playVariants(request, world, writers.map((variant) => ({ policy: cells[variant].policy })), trails)
  for (const [index, trail] of trails.entries()) {
    const final = equity(laneOf(session, index).portfolio)
    if (final !== equity(laneOf(played, writers[index]).portfolio)) throw new Error(`pass ${id}: the tape went another way when it was written down`)
    trail.line('session', session.lastOpen + timeframeMs(scenario.timeframe), { event: 'end', candles: session.candles, final_equity: final })
    trail.flush()
  }
  for (const variant of cells.keys()) {
    const writer = firsts.get(laneOf(played, variant))!
    if (writer !== variant) directories[variant].share('audit.jsonl', directories[writer])
  }
}

/** Where a candle touched both levels, the tape is played again with the most and the least careful answer to what came first. */
async function boundsOf(request: PassRequest, world: World, cells: readonly KeptCell[]): Promise<KeptCell[]> {
  const doubtful = cells.filter(({ ambiguousCandles }) => ambiguousCandles > 0)
  if (doubtful.length === 0) return [...cells]
  const models: readonly FillModelName[] = ['conservative', 'optimistic']
  const variants = doubtful.flatMap(({ scenario: { policy } }) => models.map((fillModel) => ({ policy, fillModel })))
  const { session } = await playVariants(request, world, variants)
  const returnOf = (variant: number): number => {
    const { portfolio } = laneOf(session, variant)
    return equity(portfolio) / portfolio.startCash - 1
  }
  return cells.map((cell) => {
    const at = doubtful.indexOf(cell)
    return at < 0 ? cell : { ...cell, bounds: { conservative: returnOf(2 * at), optimistic: returnOf(2 * at + 1) } }
  })
}

function writePass({ id, out, scenario, candles }: PassRequest, log: OpinionLog, data: unknown, { startedAt, finishedAt }: Record<'startedAt' | 'finishedAt', number>): void {
  const directory = new RunDirectory(join(out, PASSES), id)
  try {
    directory.writePieces('opinions.jsonl', log.lines())
    const { policy: _, ...rest } = scenario
    directory.write('run.json', `${JSON.stringify({
      kind: 'pass', run: id, scenario: rest, candles, data, startedAt: isoTime(startedAt), finishedAt: isoTime(finishedAt),
    }, null, 2)}\n`)
    directory.finish()
  } catch (error) {
    directory.discard()
    throw error
  }
}
