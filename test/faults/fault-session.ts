import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EpochMs } from '../../engine/core/time.ts'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import type { PastLine } from '../../engine/ports.ts'
import type { FaultKind, FaultRule, PracticeExchange, PracticeOptions } from '../../plugins/exchange/exchange.ts'
import { randomWalk } from '../support/memory-market.ts'
import { NakedWatch, type Spell } from '../support/naked-watch.ts'
import { practiceOn, rehearseOn, stage, trailOf } from '../support/rehearsal.ts'
import { temporaryFolder } from '../support/run-scenario.ts'
import { watchedFetch, type Mishap } from './mishaps.ts'

export const SYMBOL = 'BTC/USDT'
export const TIMEFRAME = '5m'
export const CHECK_INTERVAL_MS = 60_000
const CASH = 10_000
const INSTRUMENT = { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 } as const
/** The first candle of every tape. */
export const BEGIN = 1_577_836_800_000
/** A request that hangs is given up after so many real ms. */
const GIVE_UP_MS = 250

export interface FaultSetup {
  readonly seed: number
  readonly candles: number
  /** Rules without an end last until {@link calmFrom}. */
  readonly rules: readonly FaultRule[]
  readonly policy?: Readonly<Record<string, number | null>>
  readonly flags?: NonNullable<PracticeOptions['symbolFlags']>
  /** Exchange times at which bot and exchange are stopped, to be started again. */
  readonly stops?: readonly EpochMs[]
}

/** What a session left behind, at the exchange and on disk. */
export interface FaultRun {
  readonly setup: FaultSetup
  readonly directory: string
  readonly lines: readonly PastLine[]
  /** The view of all decisions. */
  readonly decisions: readonly string[]
  readonly exchange: PracticeExchange
  readonly balances: { readonly USDT: number; readonly BTC: number }
  /** Requests of the bot that went wrong, as its HTTP client saw it. */
  readonly mishaps: readonly Mishap[]
  /** What was said of failures before the trail could tell of them. */
  readonly warnings: readonly string[]
  /** While what was held had no stop below all of it. */
  readonly spells: readonly Spell[]
}

export const isFaulty = ({ rules }: FaultSetup, kind: FaultKind): boolean => rules.some(({ fault }) => fault === kind)

/** Nothing goes wrong in the last fifth, at least ten candles, so that what is pending can settle. */
export const calmFrom = (candles: number): EpochMs => BEGIN + Math.min(Math.floor(candles * 0.8), candles - 10) * timeframeMs(TIMEFRAME)

/** Plays one session to the end of its tape, over its restarts. */
export async function faultSession(setup: FaultSetup): Promise<FaultRun> {
  const { candles, rules, flags, stops = [], seed } = setup
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'tape.csv'), tapeCsv(setup))
  const staged = await stage(scenarioOf(setup), folder)
  const watch = new NakedWatch(INSTRUMENT)
  // More than the scenario may use; base that is none of ours, unless an exchange that sells twice would sell it.
  const balances = { USDT: 25_000, BTC: isFaulty(setup, 'duplicate') ? 0 : 0.75 }
  const open = async (): Promise<Awaited<ReturnType<typeof practiceOn>>> => practiceOn(staged, {
    balances, onRequest: () => { watch.look(current.exchange) }, journal: join(folder, 'exchange.jsonl'),
    ...(flags === undefined ? {} : { symbolFlags: flags }),
    faults: { seed, rules: rules.map((rule) => ({ to: calmFrom(candles), ...rule })) },
  })
  let current = await open()
  const mishaps: Mishap[] = []
  const warnings: string[] = []
  const original = globalThis.fetch
  const decisions = join(folder, 'decisions.jsonl')
  let directory = ''
  try {
    for (const [index, stop] of [...stops, Infinity].entries()) {
      const controller = new AbortController()
      globalThis.fetch = watchedFetch(original, {
        now: () => current.exchange.now(), timeoutMs: isFaulty(setup, 'hang') ? GIVE_UP_MS : null,
        failed: (mishap) => mishaps.push(mishap),
        passed: (time) => { if (time >= stop) controller.abort() },
      })
      const { directory: made } = await rehearseOn(staged, {
        exchange: current.venue, resume: index > 0, signal: controller.signal, decisions, checkIntervalMs: CHECK_INTERVAL_MS,
        warn: (message) => warnings.push(message),
      })
      directory = made
      if (stop === Infinity) break
      // The exchange restarts as well: its journal brings everything back.
      await current.exchange.close()
      current = await open()
    }
    watch.end(current.exchange)
  } finally {
    globalThis.fetch = original
    await current.exchange.close()
  }
  return {
    setup, directory, lines: trailOf(directory), decisions: readFileSync(decisions, 'utf8').trimEnd().split('\n'),
    exchange: current.exchange, balances, mishaps, warnings, spells: watch.spells,
  }
}

function tapeCsv({ candles, seed }: FaultSetup): string {
  const tape = randomWalk(candles, seed, TIMEFRAME, 0.006)
  return ['timestamp,open,high,low,close,volume', ...Array.from(tape.openTime, (time, row) =>
    [time, tape.open[row], tape.high[row], tape.low[row], tape.close[row], tape.volume[row]].join()), ''].join('\n')
}

/** Entries and exits at random, by time alone, so that a restart changes nothing about them. */
const scenarioOf = ({ policy, seed }: FaultSetup): object => ({
  name: 'faulty', symbol: SYMBOL, timeframe: TIMEFRAME, market: { file: 'tape.csv' }, instrument: INSTRUMENT,
  broker: { name: 'paper', cash: CASH }, strategy: { name: 'random', params: { seed, buy: 0.4, sell: 0.12 } },
  policy: { positionSize: 0.2, stopLoss: 0.006, takeProfit: 0.006, ...policy },
})
