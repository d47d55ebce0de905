import { instrumentOf, type Instrument } from '../../../engine/core/instrument.ts'
import { ceilToGrid, timeframeMs, type Timeframe } from '../../../engine/core/timeframe.ts'
import { TapedeckError, type ErrorCode } from '../../../engine/errors.ts'
import type { CandleBatch, MarketPlan, MarketSource, TapeFacts } from '../../../engine/ports.ts'
import { Coverage, shortTape, type AskedRange } from './coverage.ts'
import { Cursor } from './cursor.ts'
import { Events } from './events.ts'
import type { TapeFile } from './file/locate.ts'
import { checkPacked } from './file/open-file.ts'
import { Digests, type Intake, type Progress } from './file/raw-file.ts'
import { readFiles } from './file/rows.ts'
import { byCoarser } from './finer.ts'
import { Irregularities } from './irregularities.ts'
import { merge, mergeWithFills, type Track } from './merge.ts'
import { resample } from './resample.ts'
import { SeriesCheck, type Slice } from './series.ts'
import { checkSymbols, locateTape, type ReplayOptions, type Tape } from './tape.ts'
import { oneTimeframe, timeframeOfFiles } from './timeframe-of-files.ts'
import { countOf, timeText } from './wording.ts'

/** Small enough to stay in the processor's cache, large enough to make a read worth its promise. */
const CHUNK_BYTES = 524_288

/** Errors that damaged packing can be the cause of. */
const ABOUT_TEXT: ReadonlySet<ErrorCode> = new Set(['TD_CANDLE_INVALID', 'TD_CANDLE_GAP', 'TD_FILE_HEADER'])

/** From and to on the grid of decision candles. Throws TD_RANGE_INVALID when no candle can open between them. */
function rangeOf(asked: ReplayOptions, timeframe: Timeframe): AskedRange {
  const { from = -Infinity, to = Infinity } = asked
  const range = { asked, from: ceilToGrid(from, timeframeMs(timeframe)), to: ceilToGrid(to, timeframeMs(timeframe)) }
  if (range.from < range.to) return range
  throw new TapedeckError('TD_RANGE_INVALID', `no ${timeframe} candle opens from ${timeText(from)} to ${timeText(to)}`)
}

function checkPlan(options: ReplayOptions, { symbols, timeframe, fillTimeframe }: MarketPlan): void {
  const { from = -Infinity, to = Infinity, fillFile } = options
  if (to <= from) {
    throw new TapedeckError('TD_RANGE_INVALID', `"to" (${timeText(to)}) must be later than "from" (${timeText(from)})`)
  }
  checkSymbols(options, symbols)
  if (fillTimeframe === null) {
    if (fillFile === undefined) return
    throw new TapedeckError('TD_PLUGIN_OPTIONS', '"fillFile" is only used with broker.fillTimeframe')
  }
  const [step, fillStep] = [timeframeMs(timeframe), timeframeMs(fillTimeframe)]
  if (fillStep < step && step % fillStep === 0) return
  throw new TapedeckError('TD_RANGE_INVALID', `fillTimeframe ${fillTimeframe} must be a finer division of ${timeframe}`)
}

class Replay implements MarketSource {
  readonly #tapes: readonly Tape[]
  readonly #options: ReplayOptions
  readonly #plan: MarketPlan
  readonly #signal: AbortSignal
  readonly #chunkBytes: number
  readonly #digests = new Digests()
  #progress: Progress = { done: 0, total: 1 }
  #checks: SeriesCheck[] = []
  #coverages: Coverage[] = []
  /** By symbol, how many decision candles have only some of their finer ones. */
  #incomplete = new Map<string, number>()

  constructor(
    tapes: readonly Tape[], options: ReplayOptions, plan: MarketPlan, signal: AbortSignal, chunkBytes: number,
  ) {
    this.#tapes = tapes
    this.#options = options
    this.#plan = plan
    this.#signal = signal
    this.#chunkBytes = chunkBytes
  }

  instrument(symbol: string): Instrument {
    return this.#plan.instruments[symbol] ?? instrumentOf(symbol)
  }

  ownTimeframe(symbol: string): Promise<Timeframe> {
    const tape = this.#tapes.find((one) => one.symbol === symbol)
    if (tape === undefined) throw new RangeError(`the plan has no symbol ${symbol}`)
    return timeframeOfFiles(tape.files, this.#intake(), this.#plan.timeframe)
  }

  #intake(): Intake {
    const progress = { done: 0, total: 0 }
    return { chunkBytes: this.#chunkBytes, digests: this.#digests, signal: this.#signal, progress }
  }

  events(): AsyncIterable<CandleBatch> {
    const { timeframe, fillTimeframe } = this.#plan
    const intake = this.#intake()
    this.#progress = intake.progress
    this.#checks = []
    this.#coverages = []
    const counts = this.#incomplete = new Map<string, number>()
    const strict = this.#options.gaps === 'refuse'
    const candles = (tape: Tape, files: readonly TapeFile[], target: Timeframe): AsyncGenerator<Slice> => {
      for (const { size } of files) intake.progress.total += size
      return this.#candles(tape, files, target, intake)
    }
    const fills = (tape: Tape, target: Timeframe): AsyncGenerator<Slice> => {
      const slices = candles(tape, tape.fillFiles ?? tape.files, target)
      return strict ? slices : byCoarser(slices, timeframeMs(target), timeframeMs(timeframe))
    }
    const track = ({ symbol }: Tape, slices: AsyncGenerator<Slice>): Track => ({ symbol, cursor: new Cursor(slices) })
    const tracks = this.#tapes.map((tape) => track(tape, candles(tape, tape.files, timeframe)))
    const finer = fillTimeframe === null ? [] : this.#tapes.map((tape) => track(tape, fills(tape, fillTimeframe)))
    const incomplete = (symbol: string): void => { counts.set(symbol, (counts.get(symbol) ?? 0) + 1) }
    return new Events({
      merged: fillTimeframe === null ? merge(tracks, timeframe)
        : mergeWithFills({ tracks, timeframe, finer, fillTimeframe, strict, incomplete }),
      signal: this.#signal,
      finish: () => this.#finish(intake),
      close: async () => { await Promise.all([...tracks, ...finer].map(({ cursor }) => cursor.close())) },
    })
  }

  progress(): number {
    const { done, total } = this.#progress
    return total === 0 ? 0 : Math.min(1, done / total)
  }

  facts(): TapeFacts {
    const files: Record<string, string> = {}
    for (const { name, path } of this.#allFiles) {
      const hex = this.#digests.hex(path)
      if (hex !== null) files[name] = hex
    }
    const { timeframe, fillTimeframe } = this.#plan
    const notes = this.#checks.flatMap(({ irregularities }) => irregularities.notes(this.#options.gaps))
    for (const [symbol, count] of this.#incomplete) {
      notes.push(`${symbol}: ${countOf(count, `${timeframe} candle`)} with missing ${fillTimeframe} candles: `
        + 'orders were settled on the whole candle there')
    }
    const warnings = shortTape(this.#coverages, this.#options)
    return { files, notes, ...(warnings.length > 0 && { warnings }) }
  }

  get #allFiles(): readonly TapeFile[] {
    return this.#tapes.flatMap(({ files, fillFiles }) => [...files, ...(fillFiles ?? [])])
  }

  async #finish(intake: Intake): Promise<void> {
    for (const file of this.#allFiles) await this.#digests.complete(file, intake)
    intake.progress.done = intake.progress.total
  }

  /** One symbol's candles of the timeframe `target`. */
  async *#candles(tape: Tape, files: readonly TapeFile[], target: Timeframe, intake: Intake): AsyncGenerator<Slice> {
    try {
      yield* this.#checked(tape, files, target, intake)
    } catch (error) {
      if (error instanceof TapedeckError && ABOUT_TEXT.has(error.code)) await checkPacked(files, this.#intake())
      throw error
    }
  }

  async *#checked(
    { symbol, files: marketFiles }: Tape, files: readonly TapeFile[], target: Timeframe, intake: Intake,
  ): AsyncGenerator<Slice> {
    const { gaps, duplicates } = this.#options
    const range = rangeOf(this.#options, this.#plan.timeframe)
    const { from, to } = range
    const source = await timeframeOfFiles(files, intake, target)
    const step = timeframeMs(source)
    if (timeframeMs(target) % step !== 0) {
      const hint = target === this.#plan.fillTimeframe ? ' for fills; "fillFile" names a file with finer ones' : ''
      throw new TapedeckError('TD_RANGE_INVALID',
        `${files[0].name} holds ${source} candles, which do not add up to ${target} candles${hint}`)
    }
    const check = new SeriesCheck({ step, gaps, duplicates, from, to }, new Irregularities(symbol, source))
    // Fills may come from a second reading of the market's own files: what is wrong with them is told once.
    if (files !== marketFiles || target === this.#plan.timeframe) this.#checks.push(check)
    const coverage = new Coverage(symbol, target, source, check, range)
    if (target === this.#plan.timeframe) this.#coverages.push(coverage)
    const rows = oneTimeframe(readFiles(files, intake))
    for await (const slice of resample(check.slices(rows), step, timeframeMs(target))) {
      coverage.add(slice)
      yield slice
    }
    coverage.finish()
    if (coverage.begin !== null) return
    throw new TapedeckError('TD_TAPE_EMPTY', `${symbol}: no whole ${target} candle`
      + `${from === -Infinity ? '' : ` from ${timeText(from)}`}${to === Infinity ? '' : ` to ${timeText(to)}`}`
      + ` in ${files.map(({ name }) => name).join(', ')}; read: ${check.span}`)
  }
}

/** Opens the tape that a scenario describes; files are looked for at once and read with the events. */
export async function openReplay(
  options: ReplayOptions, plan: MarketPlan, signal: AbortSignal, chunkBytes = CHUNK_BYTES,
): Promise<MarketSource> {
  checkPlan(options, plan)
  const tapes = await Promise.all(plan.symbols.map((symbol) => locateTape(symbol, options, plan)))
  return new Replay(tapes, options, plan, signal, chunkBytes)
}
