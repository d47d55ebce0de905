import { prepareDecisions, registry, type World } from '../assemble.ts'
import { openAnswers } from '../answers.ts'
import { timeKey, TrailSearch, type FoundLine } from '../audit/trail-search.ts'
import { recallResolution, type Resolution } from '../config/resolve.ts'
import type { CandleRow } from '../core/candle.ts'
import type { EpochMs } from '../core/time.ts'
import { isTimeframe, timeframeMs, type Timeframe } from '../core/timeframe.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import type { ChainLink } from '../pipeline/provider-chain.ts'
import type { StrategyConversation } from '../pipeline/conversation.ts'
import { count, plural } from '../report/format.ts'
import { folderOf, type Subject } from '../runs/subject.ts'
import { stepsOf } from '../session/recorded-steps.ts'
import type { Track } from '../session/track.ts'
import { openTape } from '../tape.ts'
import { batchesOf, passCandles, recordedBatches, type Stop } from './candles.ts'
import { explainedDecision } from './decision.ts'
import type { Explanation, Talk } from './explanation.ts'
import { findMeant, tradeNumber } from './find.ts'
import { storyOf, storyOfTrade, type Story } from './story.ts'
import { agrees, talkOf, talkOfLine, wasAsked } from './talk.ts'
import type { Wish } from './wish.ts'

export interface ExplainOptions {
  /** Where several symbols decided at one time; null: there is one. */
  readonly symbol: string | null
  /** Candles shown before a decision, its own among them, and after it. */
  readonly before: number
  readonly after: number
}

/** Timeframe of a run whose record is lost: only bounds how far lines of one order are looked for. */
const SOME_TIMEFRAME: Timeframe = '1h'

/**
 * All that is known of one decision or trade. What cannot be had any more — candles, recording, strategy — is left out
 * and told in `notes`. Throws TD_RUN_MISSING without a trail, TD_USAGE where nothing is as `wish` says.
 */
export async function explainRun(subject: Subject, wish: Wish, options: ExplainOptions, world: World): Promise<Explanation> {
  const search = new TrailSearch(subject.trail)
  try {
    return await explained(subject, search, wish, options, world)
  } finally {
    search.close()
  }
}

async function explained(
  subject: Subject, search: TrailSearch, wish: Wish, options: ExplainOptions, world: World,
): Promise<Explanation> {
  const { scenario } = subject
  const timeframe = scenario !== null && isTimeframe(scenario.timeframe) ? scenario.timeframe : null
  const candleMs = timeframeMs(timeframe ?? SOME_TIMEFRAME)
  const meant = findMeant(search, wish, { symbol: options.symbol, candleMs })
  const story = meant.kind === 'trade' ? storyOfTrade(search, meant.line, candleMs) : storyOf(search, meant.line, candleMs)
  const notes: string[] = []
  if (meant.kind === 'trade' && story.decision === null) notes.push('The trail does not hold the decision that opened this trade.')
  const looked = await new Lookup(subject, search, world, notes).look(story, options, candleMs)
  const { trade } = story
  if (search.damaged > 0) notes.push(`${plural(search.damaged, 'damaged line')} of the trail ${search.damaged === 1 ? 'was' : 'were'} passed over; \`tapedeck verify\` tells more.`)
  if (search.torn > 0) notes.push(`The trail ends with a torn line of ${count(search.torn)} bytes: it is being written, or a crash left it.`)
  const symbol = String((story.decision ?? story.trade)!.fields['symbol'])
  return {
    run: subject.id, kind: subject.kind, directory: subject.path, scenario: scenario?.name ?? null, timeframe: scenario?.timeframe ?? null,
    quote: symbol.split('/').at(1) ?? '', about: meant.kind,
    decision: story.decision === null ? null : explainedDecision(story.decision.fields, looked.talks.get(story.decision.at) ?? null, scenario),
    candles: looked.rows === null ? null : { symbol, from: looked.from, rows: looked.rows },
    orders: story.orders.map(eventOf), fills: story.fills.map(eventOf),
    trade: trade === null ? null : { number: meant.kind === 'trade' ? meant.number : tradeNumber(search, trade), ...eventOf(trade) },
    exit: story.exit === null ? null : explainedDecision(story.exit.fields, looked.talks.get(story.exit.at) ?? null, scenario),
    notes,
  }
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)

/** Without what every line of the run says. */
const eventOf = ({ fields }: FoundLine): Readonly<Record<string, unknown>> => {
  const { run: _run, prev: _prev, ...rest } = fields
  return rest
}

interface Looked {
  readonly rows: readonly CandleRow[] | null
  readonly from: 'trail' | 'tape'
  /** By the byte at which the decision's line begins. */
  readonly talks: ReadonlyMap<number, Talk>
}

/** Candles and conversations of a story, each as far as it can still be had. */
class Lookup {
  readonly #subject: Subject
  readonly #search: TrailSearch
  readonly #world: World
  readonly #notes: string[]
  readonly #talks = new Map<number, Talk>()

  constructor(subject: Subject, search: TrailSearch, world: World, notes: string[]) {
    this.#subject = subject
    this.#search = search
    this.#world = world
    this.#notes = notes
  }

  async look({ decision, exit, trade }: Story, options: ExplainOptions, candleMs: number): Promise<Looked> {
    const asked = [decision, exit].filter((line) => line !== null && wasAsked(line.fields)) as FoundLine[]
    // As much as the trail itself knows; prompts come on top where the candles are still there.
    for (const line of asked) this.#talks.set(line.at, this.#known(line, null, candleMs) ?? talkOfLine(line.fields, null))
    const live = typeof this.#subject.record['venue'] === 'object' && this.#subject.record['venue'] !== null
    const from = live ? 'trail' : 'tape'
    const times = [decision, exit].flatMap((line) => (line === null ? [] : [Date.parse(line.fields.timestamp!)]))
    if (times.length === 0 && trade !== null) times.push(Date.parse(String(trade.fields['entryTime'])))
    const exitTime = exit === null && trade !== null ? Date.parse(String(trade.fields['exitTime'])) : NaN
    try {
      const rows = await this.#pass({ decision, trade, asked, times, exitTime, live, candleMs }, options)
      return { rows: this.#sound(rows, decision, candleMs), from, talks: this.#talks }
    } catch (error) {
      if (!(error instanceof TapedeckError)) throw error
      this.#notes.push(`${asked.length > 0 ? 'Candles and prompts' : 'The candles'} cannot be shown: ${error.message}`)
      return { rows: null, from, talks: this.#talks }
    }
  }

  async #pass(
    { decision, trade, asked, times, exitTime, live, candleMs }: {
      readonly decision: FoundLine | null; readonly trade: FoundLine | null; readonly asked: readonly FoundLine[]; readonly times: readonly EpochMs[]
      readonly exitTime: EpochMs; readonly live: boolean; readonly candleMs: number
    }, { before, after }: ExplainOptions,
  ): Promise<CandleRow[]> {
    const resolution = await this.#resolution()
    const { scenario } = resolution
    const symbol = textOr((decision ?? trade)?.fields['symbol'], scenario.symbols[0])
    const prepared = asked.length === 0 ? null : await prepareDecisions(resolution, this.#world)
    const track = prepared?.tracks.find((one) => one.symbol === symbol) ?? null
    const stops = times.map((time): Stop => {
      const line = asked.find(({ fields }) => Date.parse(fields.timestamp!) === time)
      return {
        openTime: time - candleMs,
        reached: line === undefined ? null : async (at) => { await this.#converse(line, at, resolution, prepared!.links, candleMs) },
      }
    })
    if (!Number.isNaN(exitTime)) stops.push({ openTime: exitTime, reached: null })
    // Indicators remember everything since the first candle; where nobody was asked the candles themselves are enough.
    const early = Math.min(...stops.map(({ openTime }) => openTime)) - before * candleMs
    const batches = live
      ? recordedBatches(this.#search, symbol, scenario.timeframe, track === null ? this.#search.seek(timeKey, early) : 0)
      : batchesOf(await openTape(resolution, this.#world), symbol)
    return passCandles(batches, { stops, candleMs, before, after, track })
  }

  async #resolution(): Promise<Resolution> {
    const { scenario, path } = this.#subject
    if (scenario === null) throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: its record does not tell the scenario`)
    return recallResolution(scenario, folderOf(this.#subject), registry)
  }

  /** The candle's snapshot is there: prompts can be written again. */
  async #converse(line: FoundLine, track: Track, resolution: Resolution, links: readonly ChainLink[], candleMs: number): Promise<void> {
    const fault = snapshotFault(line, track)
    if (fault !== null) {
      this.#notes.push(`Prompts cannot be written again: ${fault}.`)
      return
    }
    const { conversation } = track
    if (resolution.plugins.strategy.usesPortfolio === true) track.snapshot.show(this.#held(line))
    try {
      const talk = this.#known(line, conversation, candleMs) ?? await this.#recorded(line, conversation, resolution, links)
      this.#talks.set(line.at, talk ?? talkOfLine(line.fields, conversation))
    } catch (error) {
      this.#notes.push(`Prompts cannot be written again: ${messageOf(error)}`)
    }
  }

  /** What the trail of a live run says of every question. */
  #known(line: FoundLine, conversation: StrategyConversation | null, candleMs: number): Talk | null {
    const { timestamp } = line.fields
    const from = this.#search.seek(timeKey, Date.parse(timestamp!) - 2 * candleMs)
    for (const { fields } of this.#search.holding('"event": "consulted"', from, line.at)) {
      if (fields.timestamp !== timestamp || fields['symbol'] !== line.fields['symbol'] || !Array.isArray(fields['steps'])) continue
      return talkOf(stepsOf(fields), conversation, this.#refinements, 'trail')
    }
    return null
  }

  get #refinements(): number {
    return this.#subject.scenario?.ai?.refinements ?? 1
  }

  /** What the recording says that a backtest was answered from. */
  async #recorded(line: FoundLine, conversation: StrategyConversation, resolution: Resolution, links: readonly ChainLink[]): Promise<Talk | null> {
    const { scenario } = resolution
    if (scenario.ai === undefined || scenario.ai.recording === null) return null
    const { path } = scenario.ai.recording
    const replayed = { ...resolution, scenario: { ...scenario, ai: { ...scenario.ai, recording: { path, mode: 'replay' as const } } } }
    try {
      const answers = await openAnswers(replayed, this.#world, links)
      const steps = await answers!.source.steps(conversation)
      if (agrees(steps, line.fields)) return talkOf(steps, conversation, scenario.ai.refinements, 'recording')
      this.#notes.push(`The recording ${path} answers otherwise by now; shown is what the trail holds.`)
    } catch (error) {
      if (!(error instanceof TapedeckError)) throw error
      this.#notes.push(`The recording tells nothing of it: ${error.message}`)
    }
    return null
  }

  /** Whether the symbol was held when it was decided on, from the fills before. */
  #held(line: FoundLine): boolean {
    const own = (line.fields['order'] as { readonly id?: string } | null)?.id
    let held = false
    for (const { fields } of this.#search.starting('{"type": "fill", ', 0, line.at)) {
      if (fields['symbol'] === line.fields['symbol'] && fields['id'] !== own) held = fields['side'] === 'buy'
    }
    return held
  }

  /** Candles that are others than those that were decided on say nothing about the decision. */
  #sound(rows: CandleRow[], decision: FoundLine | null, candleMs: number): readonly CandleRow[] | null {
    if (rows.length === 0) {
      this.#notes.push('The candles cannot be shown: the tape does not hold that time.')
      return null
    }
    if (decision === null) return rows
    const market = decision.fields['market_data'] as { readonly price?: unknown } | undefined
    const own = rows.find(([openTime]) => openTime === Date.parse(decision.fields.timestamp!) - candleMs)
    if (own !== undefined && own[4] === market?.price) return rows
    this.#notes.push(own === undefined ? 'The candles cannot be shown: the tape does not hold that time.'
      : `The candles cannot be shown: the tape has changed since; it closes at ${own[4]} there now, the decision saw ${String(market?.price)}.`)
    return null
  }
}

/** What the snapshot shows otherwise than the decision's line, in words; null: nothing. */
function snapshotFault({ fields }: FoundLine, { snapshot }: Track): string | null {
  const market = (fields['market_data'] ?? {}) as Readonly<Record<string, unknown>>
  const shown: Readonly<Record<string, number>> = {
    price: snapshot.price, volume: snapshot.volume,
    ...Object.fromEntries(snapshot.names.map((name, index) => [name, snapshot.nth(index)])),
  }
  for (const [name, value] of Object.entries(shown)) {
    const then = market[name]
    // The trail rounds indicators.
    if (typeof then === 'number' && Math.abs(then - value) > 1e-6 * Math.max(1, Math.abs(value))) {
      return `${name} is ${value} by today's candles and strategy, the decision saw ${then}`
    }
  }
  return null
}
