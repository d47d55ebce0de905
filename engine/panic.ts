import { join } from 'node:path'
import { makeDeps, type World } from './assemble.ts'
import { ChainedLog } from './audit/chain.ts'
import { readTrail } from './audit/reader.ts'
import { fieldsJson } from './audit/spaced-json.ts'
import { practiceClock } from './clocks.ts'
import { RealClock } from './real-clock.ts'
import type { ResolvedScenario } from './config/resolve.ts'
import type { Fill } from './core/order.ts'
import { isoTime, type EpochMs } from './core/time.ts'
import { messageOf, TapedeckError } from './errors.ts'
import { brokerLines, idPrefix, termsOf } from './live.ts'
import type { Broker, Clock, Journal, PastLine, Venue } from './ports.ts'
import { PANIC_FILE, panicLines, restartHint, type LiveRun } from './positions.ts'
import { recordedBroker, type RecordedBroker } from './recorded-run.ts'
import { halt, leavePending, request } from './session/operator-box.ts'
import { fillFields } from './session/order-desk.ts'
import { fillOf } from './session/past.ts'
import { ProcessLock } from './session/process-lock.ts'
import { isPaper, ownsExchange } from './venue.ts'

export interface PanicOptions {
  readonly reason: string
  /** Throws TD_VENUE for a run whose venue must not be contacted. */
  readonly venueOf: (run: LiveRun) => Venue
  readonly world: World
  /** The practice exchange that a run brings along lives, in this process: its loop stands still and nothing else. */
  readonly exchangeLives?: boolean
  /** Wall clock, for the halt. */
  readonly now: () => EpochMs
}

/** What became of one symbol. */
export interface Flattened {
  readonly symbol: string
  /** Client ids of what was taken down. */
  readonly cancelled: readonly string[]
  /** Executions that were found or made, sales and those that the run had not told of yet. */
  readonly fills: readonly Fill[]
  /** Nothing of the run can be sold or execute any more. */
  readonly done: boolean
}

export interface PanicResult {
  readonly run: LiveRun
  /** Why the halt could not be written, or null: it is in force. */
  readonly notHalted: string | null
  readonly symbols: readonly Flattened[]
  /** Why it is not known whether anything is left, or null. */
  readonly failure: string | null
  /** The run leaves what it holds by itself, as the first thing once its exchange is back: nobody can before. */
  readonly postponed: boolean
  /** Begins the client ids of all orders of the run. */
  readonly prefix: string
}

/** Longer than an order that is on its way can still arrive. */
const ATTEMPTS = 26
const PAUSE_MS = 2_000
/** An exchange that does not answer at all is given up sooner. */
const DEAF_ATTEMPTS = 8

/** Halts every run durably, before anything else is done; whoever runs them sends no order from here on. */
export function haltAll(runs: readonly LiveRun[], reason: string, now: EpochMs): ReadonlyMap<LiveRun, string | null> {
  return new Map(runs.map((run) => {
    try {
      halt(run.path, reason, now)
      return [run, null]
    } catch (error) {
      return [run, messageOf(error)]
    }
  }))
}

/**
 * Halts all runs and then leaves every position of theirs, whoever runs them or nobody. Only orders and holdings that
 * are the run's own are touched. Nothing is thrown for a run that fails: the others still have to be left.
 */
export async function* panic(runs: readonly LiveRun[], options: PanicOptions): AsyncGenerator<PanicResult> {
  const halted = haltAll(runs, options.reason, options.now())
  for (const run of runs) {
    const prefix = idPrefix(run.run)
    const result = { run, notHalted: halted.get(run) ?? null, prefix }
    try {
      yield { ...result, postponed: false, ...await leave(run, options) }
    } catch (error) {
      yield { ...result, symbols: [], failure: messageOf(error), postponed: false }
    }
  }
}

type Left = Pick<PanicResult, 'symbols' | 'failure'> & Partial<Pick<PanicResult, 'postponed'>>

async function leave(run: LiveRun, options: PanicOptions): Promise<Left> {
  if (run.terms === null) return { symbols: [], failure: null }
  if (isPaper(run.record)) return leaveOnPaper(run, options)
  if (ownsExchange(run.record) && run.writer === null && options.exchangeLives !== true) return postpone(run, options)
  const lock = ProcessLock.take(join(run.path, 'panic'))
  if (typeof lock === 'number') return { symbols: [], failure: `process ${lock} is at it already` }
  try {
    return await new Flattening(run, options).run()
  } finally {
    lock.release()
  }
}

/** Symbols that the run holds or is about to, each asked to be left as soon as the run can. */
function askToLeave({ path, positions, entering }: LiveRun, { reason, now }: PanicOptions): readonly string[] {
  const held = [...new Set([...positions.map(({ symbol }) => symbol), ...entering])]
  const known = leavePending(path)
  for (const symbol of held) if (!known.has(symbol)) request(path, 'leave', symbol, reason, now())
  return held
}

/** A position on paper exists in the run alone, and ends with the price of a candle. */
function leaveOnPaper(run: LiveRun, options: PanicOptions): Left {
  const held = askToLeave(run, options)
  if (held.length === 0) return { symbols: [], failure: null }
  return {
    symbols: [], postponed: true,
    failure: run.writer === null ? `${held.join(', ')} still held on paper: left with the first candle after \`${restartHint(run)}\``
      : `${held.join(', ')} held on paper: the run was asked to leave and does so with the next candle`,
  }
}

/** Nobody but the run can bring its exchange back: it is told what to do first when it does. */
function postpone(run: LiveRun, options: PanicOptions): Left {
  const held = askToLeave(run, options)
  if (held.length === 0) return { symbols: [], failure: null }
  return {
    symbols: [], postponed: true,
    failure: `its practice exchange ended with its process and comes back with it, ${held.join(', ')} still held: `
      + `left as the first thing after \`${restartHint(run)}\``,
  }
}

const keyOf = ({ orderId, time, price, quantity }: Fill): string => `${orderId} ${time} ${price} ${quantity}`

/** Leaves one run's positions, again and again until nothing is left. */
class Flattening {
  readonly #run: LiveRun
  readonly #options: PanicOptions
  readonly #log: PanicLog
  readonly #open: Set<string>
  readonly #cancelled: { readonly symbol: string; readonly id: string }[] = []
  readonly #fills: Fill[] = []
  /** Executions that have been written down, by this panic or one before. */
  readonly #known: Set<string>
  /** Attempts in a row in which the venue did not even tell its filters. */
  #deaf = 0

  constructor(run: LiveRun, options: PanicOptions) {
    this.#run = run
    this.#options = options
    this.#log = new PanicLog(run, options.world)
    this.#open = new Set(Object.keys(run.terms!.instruments))
    this.#known = new Set(panicLines(run.path).filter(({ type }) => type === 'fill').map((line) => keyOf(fillOf(line))))
  }

  async run(): Promise<Pick<PanicResult, 'symbols' | 'failure'>> {
    const { world: { signal } } = this.#options
    let failure: string | null = null
    try {
      const venue = this.#options.venueOf(this.#run)
      const broker = await recordedBroker(this.#run.record)
      let clock: Clock = new RealClock()
      for (let attempt = 1; attempt <= ATTEMPTS && this.#open.size > 0; attempt++) {
        if (this.#deaf === DEAF_ATTEMPTS || signal.aborted) break
        if (attempt > 1) await clock.sleep(PAUSE_MS, signal).catch(() => {})
        this.#deaf++
        try {
          if (venue.name === 'practice') {
            // A bot may move the exchange's time by hours between two requests: it stands still for each attempt.
            const practice = await practiceClock(venue, null)
            clock = practice
            await practice.alone(() => this.#attempt(venue, practice, broker))
          } else await this.#attempt(venue, clock, broker)
          failure = null
        } catch (error) {
          if (error instanceof TapedeckError && error.code === 'TD_VENUE') throw error
          failure = messageOf(error)
        }
      }
    } catch (error) {
      failure = messageOf(error)
    } finally {
      this.#log.close()
    }
    if (failure === null && this.#open.size > 0) failure = `${[...this.#open].join(', ')} could not be left altogether`
    return { symbols: this.#told(), failure }
  }

  /** The trail is read anew: a living process may have written what it had begun before the halt. */
  async #attempt(venue: Venue, clock: Clock, { plugin, options }: RecordedBroker): Promise<void> {
    const { run, record, path } = this.#run
    const { lines } = readTrail(join(path, 'audit.jsonl'))
    const terms = termsOf(lines)!
    const { timeframe, seed } = record['scenario'] as ResolvedScenario
    const deps = makeDeps(this.#options.world, clock, seed, plugin.env)
    const past = withOwnSales(brokerLines(lines), panicLines(path))
    const broker: Broker = await plugin.create(options, deps, {
      instruments: terms.instruments, timeframe,
      // What a person wants is done halted or not.
      live: { venue, journal: this.#journal(clock), idPrefix: idPrefix(run), past, halted: () => null },
    })
    // It answers, if not always: whoever keeps asking gets through.
    this.#deaf = 0
    const failures: unknown[] = []
    for (const symbol of [...this.#open]) {
      try {
        if (await broker.flatten!(symbol)) this.#open.delete(symbol)
      } catch (error) {
        failures.push(error)
      }
      for (const execution of broker.takeExecutions!(symbol)) if (execution.kind === 'fill') this.#filled(execution)
    }
    if (failures.length > 0) throw failures[0]
  }

  #journal(clock: Clock): Journal {
    return {
      note: (type, fields) => {
        const { symbol, purpose, id, with: together } = fields
        const gone = purpose === 'take-down' ? id : purpose === 'sale' ? together : null
        if (typeof gone === 'string') this.#cancelled.push({ symbol: String(symbol), id: gone })
        this.#log.line(type, clock.now(), fields)
      },
    }
  }

  #filled(fill: Fill): void {
    if (this.#known.has(keyOf(fill))) return
    this.#known.add(keyOf(fill))
    this.#fills.push(fill)
    this.#log.line('fill', fill.time, fillFields(fill))
  }

  #told(): Flattened[] {
    return Object.keys(this.#run.terms!.instruments).map((symbol) => ({
      symbol,
      cancelled: [...new Set(this.#cancelled.filter((one) => one.symbol === symbol).map(({ id }) => id))],
      fills: this.#fills.filter((fill) => fill.symbol === symbol),
      done: !this.#open.has(symbol),
    }))
  }
}

/**
 * The run's lines and the sales of an earlier panic, whose ids may not be given twice. They come before the run's own
 * account of them, where it has taken them in. Those of positions that are over say nothing any more.
 */
export function withOwnSales(past: readonly PastLine[], own: readonly PastLine[]): readonly PastLine[] {
  const sales = own.filter(({ type, purpose }) => type === 'intent' && purpose === 'sale')
  return sales.reduce<PastLine[]>((lines, sale) => {
    const entry = lines.findLast(({ type, symbol, purpose, order }) =>
      type === 'intent' && purpose === undefined && symbol === sale['symbol']
      && (order as { side?: string } | undefined)?.side === 'buy')
    const entryId = (entry?.['order'] as { id: string } | undefined)?.id
    if (entryId === undefined || !String(sale['order']).startsWith(`${entryId}-operator`)) return lines
    const adopted = lines.findIndex(({ type, id }) => type === 'fill' && String(id).startsWith(`${entryId}-operator`))
    return adopted < 0 ? [...lines, sale] : lines.toSpliced(adopted, 0, sale)
  }, [...past])
}

/** What was done, beside the trail. A disk that takes nothing any more must not keep anybody from leaving. */
class PanicLog {
  readonly #run: string
  readonly #world: World
  #log: ChainedLog | null
  #seq: number

  constructor({ run, path }: LiveRun, world: World) {
    this.#run = run
    this.#world = world
    this.#log = this.#guarded(() => ChainedLog.open(join(path, PANIC_FILE))) ?? null
    this.#seq = this.#log?.length ?? 0
  }

  line(type: string, time: EpochMs, fields: Readonly<Record<string, unknown>>): void {
    const head = { type, seq: ++this.#seq, run: this.#run, timestamp: isoTime(time) }
    this.#guarded(() => this.#log?.append(`{${fieldsJson(head)}, ${fieldsJson(fields)}}\n`, true))
  }

  close(): void {
    this.#log?.close()
  }

  #guarded<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.#world.log.warn(`${messageOf(error)}; going on without a record`)
      this.#log = null
      return undefined
    }
  }
}
