import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openAnswers, type Answers } from './answers.ts'
import { assembleOne, makeDeps, type LaneTerms, type World } from './assemble.ts'
import { checkShapes, parseTrailLine, type TrailLine } from './audit/reader.ts'
import { Trail } from './audit/trail.ts'
import { scenarioHash } from './backtest.ts'
import type { Resolution, ResolvedScenario } from './config/resolve.ts'
import { instrumentOf } from './core/instrument.ts'
import { isoTime, type EpochMs } from './core/time.ts'
import { timeframeMs, type Timeframe } from './core/timeframe.ts'
import { describe, TapeWatch, type DescribeOptions, type Played } from './describe.ts'
import { messageOf, TapedeckError } from './errors.ts'
import type { Broker, Clock, Journal, MarketEvent, MarketSource, PastLine, Plugin, Venue } from './ports.ts'
import type { ServiceHealth } from './pipeline/provider-health.ts'
import type { ReportData } from './report/report-data.ts'
import { accountPlace, lockAccount } from './session/account-lock.ts'
import { CourseWatch, sentText, type Requests } from './session/course.ts'
import { DecisionView } from './session/decision-view.ts'
import { LiveDirectory, type RunRecord } from './session/live-directory.ts'
import { measureLane } from './session/measures.ts'
import { haltReason, OperatorBox } from './session/operator-box.ts'
import { Past } from './session/past.ts'
import { RecordedAnswers, SteadyAnswers, TimedAnswers } from './session/recorded-answers.ts'
import { stateFields } from './session/recorded-steps.ts'
import { RecordedMarket, ReplayBroker, ReplayMarket } from './session/retrace.ts'
import { equityCsv, tradesCsv } from './session/run-tables.ts'
import { runSession } from './session/session.ts'
import { Shadows } from './shadows.ts'
import { version } from './version.ts'

export interface LiveOptions {
  readonly run: string
  /** Parent folder of run directories. */
  readonly out: string
  /** Go on with this run's directory; null starts a new one. */
  readonly resume: string | null
  /** Told the run's directory; what it opened is closed when the run ends. */
  readonly connect: (directory: string) => Promise<Connected>
  readonly market: { readonly plugin: Plugin<'market', unknown>; readonly options: unknown }
  readonly broker: { readonly plugin: Plugin<'broker', unknown>; readonly options: unknown }
  /** The broker fills by candles alone, so that going through them again brings it to where it stood: nothing is sent. */
  readonly onPaper?: boolean
  readonly checkIntervalMs: number
  /** AI services may be asked where the scenario names no recording. */
  readonly asksLive: boolean
  /** What the run is when its market ends by itself: a tape is over, anything else may be gone on with. */
  readonly atMarketEnd: 'finished' | 'stopped'
  /** The view of all decisions; null keeps none. */
  readonly decisions: string | null
  /** AUTONOMOUS sends orders, MANUAL notes what it would have sent. */
  readonly mode: 'AUTONOMOUS' | 'MANUAL'
  /** People are heard while nothing comes from the market: not where somebody steps the time. Left out = between events. */
  readonly hearsAtOnce?: boolean
  /** Told of the run's shadow lanes, once they begin; left out = there are none. */
  readonly onShadows?: (shadows: Shadows) => void
  /** Told every line that is added to the trail. */
  readonly onLine?: (line: PastLine) => void
  /** What else run.json says, such as how it was rehearsed. */
  readonly about: Readonly<Record<string, unknown>>
  /** Said first in the report. */
  readonly notes: readonly string[]
  /** A tape that can be read again, for charts and the random baseline; null leaves both out. */
  readonly tape: MarketSource | null
  readonly onCandles?: (candles: number) => void
  /** Wall clock for run.json. */
  readonly now: () => number
}

/** A venue and the clock that its time is told by. */
export interface Connected {
  readonly venue: Venue
  readonly clock: Clock
  close(): Promise<void>
}

export interface LiveResult {
  readonly run: string
  readonly directory: string
  readonly state: 'stopped' | 'finished'
  /** null when not one candle was seen. */
  readonly report: ReportData | null
  /** Of all processes of the run. */
  readonly requests: Requests
}

/** Client order ids of a run begin with it. */
export const idPrefix = (run: string): string => `t${createHash('sha256').update(run).digest('hex').slice(0, 8)}`

/** Whether a recorded run sent its orders, or only noted them. */
export const sendsOrders = (record: RunRecord): boolean => record['mode'] !== 'MANUAL'

/** A new run's id: scenario, its hash, and when it was started. */
export const liveRunId = (scenario: ResolvedScenario, now: EpochMs): string =>
  `${scenario.name}-${scenarioHash(scenario).slice(0, 12)}-${isoTime(now).replaceAll(/[-:.]/g, '')}`

/** What a run was told at its start and cannot be asked again, as recorded; null before it was. */
export function termsOf(lines: readonly TrailLine[]): LaneTerms | null {
  const line = lines.find(({ fields }) => fields.type === 'session' && fields['event'] === 'account')?.fields
  if (line === undefined) return null
  const { cash, costs, instruments } = line as unknown as LaneTerms
  return { cash, costs, instruments }
}

/** Of the trail's lines and their order; a replay compares them byte by byte. */
const TRAIL_FORMAT = 1

/** Throws TD_TRAIL_BROKEN for a run whose trail was written in another format. */
export function checkFormat(path: string, record: RunRecord): void {
  const { trailFormat = TRAIL_FORMAT, versions } = record
  if (trailFormat === TRAIL_FORMAT) return
  const writer = (versions as { tapedeck?: string } | undefined)?.tapedeck ?? 'another version'
  throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: its trail has format ${String(trailFormat)}, this version reads `
    + `format ${TRAIL_FORMAT}; use tapedeck ${writer} for it`)
}

function damaged(path: string): never {
  throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: the trail holds a line that is none; see tapedeck verify`)
}

/** What a broker has to know of a run so far. */
export const brokerLines = (lines: readonly TrailLine[]): PastLine[] =>
  lines.map(({ fields }) => fields).filter(({ type }) => type === 'intent' || type === 'order' || type === 'fill')

/** Open time of the newest recorded candle that was decided on, or only settled, by symbol. */
function newestCandles(lines: readonly TrailLine[], event: 'candles' | 'settling'): Readonly<Record<string, EpochMs>> {
  const newest: Record<string, EpochMs> = {}
  for (const { fields } of lines) {
    if (fields.type !== 'market' || fields['event'] !== event || fields['timeframe'] === OPENING) continue
    newest[fields['symbol'] as string] = (fields['rows'] as number[][]).at(-1)![0]
  }
  return newest
}

/** A person is heard this soon where time is real, in ms. */
const HEARD_MS = 500

/** What people ask for, between what the market sends; with `atOnce` also while nothing comes. */
async function* operated(
  market: MarketSource, box: OperatorBox, clock: Clock, busy: (symbol: string) => boolean, atOnce: boolean,
): AsyncGenerator<MarketEvent> {
  const iterator = market.events()[Symbol.asyncIterator]()
  try {
    for (let coming = iterator.next(); ;) {
      const event = await (atOnce ? Promise.race([coming, pause(HEARD_MS, null, { ref: false })]) : coming)
      let closing = false
      for (const act of box.acts(busy)) {
        closing ||= act.act === 'close'
        yield { ...act, time: clock.now() }
      }
      // What was sold at once is booked at once.
      if (closing && event === null) yield { kind: 'wake', time: clock.now() }
      if (event === null) continue
      if (event.done === true) return
      yield event.value
      coming = iterator.next()
    }
  } finally {
    await iterator.return?.()
  }
}

/**
 * Runs a scenario against a venue, straight into its run directory. A run that was stopped or killed is gone through
 * again from its own trail, so that it stands where it stood, and then goes on with the venue; what happened in between
 * the broker finds out there. Rejects with a coded error; the run can then be gone on with.
 */
export async function runLive(resolution: Resolution, world: World, options: LiveOptions): Promise<LiveResult> {
  const { out, run, resume } = options
  const directory = resume === null ? LiveDirectory.create(out, run) : LiveDirectory.resume(resume)
  try {
    const connected = await options.connect(directory.path)
    const { venue } = connected
    try {
      if (options.onPaper === true) return await runIn(directory, resolution, world, options, connected)
      const lock = lockAccount(accountPlace(venue), venue.apiKey, resolution.scenario.symbols)
      try {
        return await runIn(directory, resolution, world, options, connected)
      } finally {
        lock.release()
      }
    } finally {
      await connected.close()
    }
  } finally {
    directory.trail.close()
    if (resume === null) directory.discardStump()
    directory.release()
  }
}

async function runIn(
  directory: LiveDirectory, resolution: Resolution, world: World, options: LiveOptions, { venue, clock }: Connected,
): Promise<LiveResult> {
  const { scenario, plugins: { strategy } } = resolution
  const { run, now } = options
  const { symbols, timeframe } = scenario
  const log = directory.trail
  const lines = log.past.map((raw) => parseTrailLine(raw) ?? damaged(directory.path))
  checkShapes(join(directory.path, 'audit.jsonl'), lines, symbols)
  const resumed = options.resume !== null
  const before = resumed ? directory.readRun() : null
  if (before !== null) checkFormat(directory.path, before)
  const startedAt = before?.['startedAt'] ?? isoTime(now())
  const record = (state: string, more: object = {}): void => directory.writeRun({
    run, state, scenario, scenarioSha256: scenarioHash(scenario), venue: { name: venue.name, url: venue.url },
    broker: { name: options.broker.plugin.name, options: options.broker.options }, ...options.about, mode: options.mode, trailFormat: TRAIL_FORMAT,
    versions: { tapedeck: version(), node: process.versions.node }, seed: scenario.seed, startedAt,
    ...more,
  })
  record('running')

  const view = options.decisions === null ? null : new DecisionView(options.decisions, run, log.past)
  const course = new CourseWatch()
  for (const { fields } of lines) course.count(fields)
  // What plugins noted while the run was still being gone through, from whose lines theirs have to keep away.
  const held: (() => void)[] = []
  const past = new Past(lines, (notes) => trail.skip(notes), () => {
    // A run that was killed before its first line begins like any other.
    if (lines.length === 0) return
    trail.line('session', clock.now(), { event: 'restarted' })
    tellTorn()
    for (const note of held.splice(0)) note()
  })
  const told = new Set(lines.map(({ fields }) => (fields['event'] === 'torn-line' ? basename(String(fields['file'])) : '')))
  // A start that was killed before it could say what it had found leaves that to the next.
  const tellTorn = (): void => {
    for (const file of directory.tornEnds().filter((one) => !told.has(basename(one)))) {
      trail.line('alarm', clock.now(), { event: 'torn-line', file, bytes: statSync(file).size })
    }
  }
  // The view can be made again from the trail: what it cannot take is no reason to stop trading.
  let viewLost = false
  const opened: Answers[] = []
  let shadows: Shadows | null = null
  const viewed = (line: Uint8Array): void => {
    if (viewLost) return
    try {
      view?.append(line)
    } catch (error) {
      if (!(error instanceof TapedeckError)) throw error
      viewLost = true
      world.log.error(error.message)
      trail.line('alarm', clock.now(), { event: 'decisions-view-lost', error: error.message })
    }
  }
  const trail: Trail = new Trail('full', { run, timeframe, scored: strategy.scored === true }, (bytes, durable) => {
    const line = Buffer.from(bytes)
    if (!past.over) return past.retrace(line.toString('utf8', 0, line.length - 1))
    log.append(line, durable)
    const text = line.toString('utf8', 0, line.length - 1)
    course.see(text)
    viewed(line)
    options.onLine?.(JSON.parse(text) as PastLine)
  }, () => past.over)
  try {
    trail.line('session', null, { event: 'start', scenario: scenarioHash(scenario), symbols, timeframe })
    if (lines.length === 0) tellTorn()
    const journal: Journal = {
      note(type, fields) {
        const time = clock.now()
        const note = (): void => trail.line(type, time, fields)
        if (past.over) note()
        else held.push(note)
      },
    }
    const known = termsOf(lines)
    const { market, broker, terms } = await openVenue(
      resolution, world, options, { venue, clock }, directory.path, journal, lines, known,
    ).catch((error: unknown) => {
      if (!resumed) directory.abandon()
      throw error
    })
    trail.line('session', null, { event: 'account', ...terms })

    const changed = (service: string, health: ServiceHealth): void => {
      const { state, reason } = health
      world.log.warn(`${service} is ${state}${reason === null ? '' : `: ${reason}`}`)
      trail.line('provider', clock.now(), stateFields(service, health))
    }
    const lost = ({ message }: TapedeckError): void => {
      world.log.error(`no AI can be asked, the rules decide: ${message}`)
      trail.line('alarm', clock.now(), { event: 'answers-lost', error: message })
    }
    shadows = Shadows.open(options.onShadows === undefined ? [] : resolution.shadows, world, {
      run, directory: directory.path, terms,
      lost: (name, error) => {
        world.log.error(`shadow ${name} is over, the run goes on: ${messageOf(error)}`)
        if (past.over) trail.line('alarm', clock.now(), { event: 'shadow-lost', shadow: name, error: messageOf(error) })
      },
    })
    options.onShadows?.(shadows)
    const beside = shadows
    const box = new OperatorBox(directory.path)
    const live: MarketSource = {
      instrument: (symbol) => market.instrument(symbol), events: () => operated(market, box, clock, (symbol) => lane.awaits(symbol), options.hearsAtOnce === true),
    }
    const { lane, plan } = await assembleOne(resolution, world, {
      market: shadows.watch(new RecordedMarket(new ReplayMarket(past, timeframe, terms.instruments, live), trail), () => !past.over),
      broker: options.onPaper === true ? broker : new ReplayBroker(past, terms, broker), terms, trail, clock, atEnd: 'keep', sends: options.mode === 'AUTONOMOUS',
      answers: async (links) => {
        const answers = await openAnswers(resolution, world, links, { live: options.asksLive, changed })
        opened.push(answers!)
        return beside.listen(new RecordedAnswers(past, trail, new TimedAnswers(new SteadyAnswers(answers!.source, lost), clock, world.signal)))
      },
    })
    const watch = new TapeWatch(symbols)
    const session = await runSession({
      ...plan,
      observe: (batch) => {
        watch.observe(batch)
        options.onCandles?.(watch.seen)
      },
    })
    await shadows.end()
    const state = session.interrupted ? 'stopped' : options.atMarketEnd
    if (!past.over) {
      // Stopped while it was still being gone through: nothing has happened that the trail does not hold.
      record('stopped', { audit: { lines: log.length, head: log.head } })
      return { run, directory: directory.path, state: 'stopped', report: null, requests: course.course.requests }
    }
    trail.line('session', clock.now(), {
      event: state, candles: session.candles, open_positions: lane.portfolio.openPositions,
      requests: together(market.requests, broker.requests),
    })
    if (state === 'finished') for (const answers of opened) answers.complete()
    const { requests } = course.course
    log.sync()
    const played = { session, lane, links: plan.chain.links, watch, answers: opened[0] ?? null }
    const sent = options.onPaper === true ? `Orders were filled on paper; prices are those of ${venueText(venue)}.`
      : `${sentText(requests.signed, requests)} signed requests went to ${venueText(venue)} over HTTP.`
    const { kind, faults } = options.about as { readonly kind?: string; readonly faults?: readonly string[] }
    const rehearsal = kind === 'rehearsal' ? { ...course.course, faults: faults ?? [] } : null
    const report = session.candles === 0 ? null
      : await tables(directory, resolution, options, played, { notes: [...options.notes, sent], rehearsal }, world)
    record(state, {
      ...(shadows.standings().length === 0 ? {} : { shadows: shadows.standings() }),
      finishedAt: isoTime(now()), requests, audit: { lines: log.length, head: log.head },
      ...(report === null ? {} : { ...outcomes(report), assumptions: report.assumptions }),
    })
    return { run, directory: directory.path, state, report, requests }
  } finally {
    await shadows?.end()
    view?.close()
    for (const answers of opened) answers.close()
  }
}

type Sent = { readonly signed: number; readonly public: number } | undefined

/** What one process sent, over the connections of market and broker. */
const together = (...sent: readonly Sent[]): NonNullable<Sent> => ({
  signed: sent.reduce((sum, one) => sum + (one?.signed ?? 0), 0),
  public: sent.reduce((sum, one) => sum + (one?.public ?? 0), 0),
})

const venueText = ({ name }: Venue): string =>
  (name === 'practice' ? 'the practice exchange' : name === 'public' ? 'Binance' : `Binance (${name})`)

/** What run.json and `--json` tell of a report. */
export const outcomes = ({ figures, baselines, exits, decisions, warnings }: ReportData): object =>
  ({ figures, baselines, exits, decisions, warnings })

/** Stops and targets on paper are looked at when these have closed. */
const SETTLED_ON: Timeframe = '1m'
/** As which a candle's first price comes, before anything else of it is known. */
const OPENING: Timeframe = '1s'

interface OpenVenue {
  readonly market: MarketSource
  readonly broker: Broker
  readonly terms: LaneTerms
}

/** Market and broker at the venue. What a run was told at its start stays so for as long as it lasts. */
async function openVenue(
  { scenario, folder, plugins: { strategy } }: Resolution, world: World, options: LiveOptions,
  { venue, clock }: Pick<Connected, 'venue' | 'clock'>, path: string, journal: Journal, lines: readonly TrailLine[],
  known: LaneTerms | null,
): Promise<OpenVenue> {
  const { run, market: from, broker: to, checkIntervalMs, onPaper = false } = options
  const { symbols, timeframe, seed } = scenario
  const written = bySymbol(symbols, (symbol) => instrumentOf(symbol, scenario.instruments[symbol]))
  const warmup = strategy.warmup(scenario.strategy.params)
  const market = await from.plugin.create(from.options, makeDeps(world, clock, seed, from.plugin.env), {
    symbols, timeframe, fillTimeframe: onPaper && timeframeMs(timeframe) > timeframeMs(SETTLED_ON) ? SETTLED_ON : null, instruments: written, folder,
    live: {
      venue, journal, warmup, checkIntervalMs, after: newestCandles(lines, 'candles'),
      settledAfter: newestCandles(lines, 'settling'), openings: onPaper,
    },
  })
  const told = known === null ? await Promise.all(symbols.map(async (symbol) => market.instrument(symbol))) : []
  const instruments = known?.instruments ?? bySymbol(symbols, (_, index) => told[index])
  const halted = (): string | null => haltReason(path)
  const broker = await to.plugin.create(to.options, makeDeps(world, clock, seed, to.plugin.env), {
    instruments, timeframe, live: { venue, journal, idPrefix: idPrefix(run), past: brokerLines(lines), halted },
  })
  const { cash, costs } = known ?? await broker.account()
  return { market, broker, terms: { cash, costs, instruments } }
}

const bySymbol = <T>(
  symbols: readonly string[], of: (symbol: string, index: number) => T,
): Readonly<Record<string, T>> =>
  Object.fromEntries(symbols.map((symbol, index) => [symbol, of(symbol, index)]))

const NO_TAPE: MarketSource = { instrument: (symbol) => instrumentOf(symbol), async *events() {} }

/** The run's tables and its page. */
async function tables(
  directory: LiveDirectory, resolution: Resolution, { run, tape }: LiveOptions,
  { session, lane, links, watch, answers }: Omit<Played, 'market' | 'measures'>, about: Pick<DescribeOptions, 'notes' | 'rehearsal'>,
  world: World,
): Promise<ReportData> {
  const measures = measureLane(lane, session, session.opinions[0], links)
  const played: Played = { market: tape ?? NO_TAPE, session, lane, links, measures, watch, answers }
  const report = await describe(
    resolution, played, { again: tape, charts: true, bounds: false, ...about }, run, world.signal,
  )
  directory.writePieces('trades.csv', tradesCsv(report.trades, report.symbols))
  directory.writePieces('equity.csv', equityCsv(report.dailyEquity, report.firstDay))
  directory.write('report.html', (await import('./report/html.ts')).renderHtml(report))
  return report
}
