import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instrument } from '../../engine/core/instrument.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import type { PastLine } from '../../engine/ports.ts'
import type { FaultRule, PracticeExchange, PracticeOptions } from '../../plugins/exchange/exchange.ts'
import { randomWalk } from '../support/memory-market.ts'
import { practiceOn, rehearseOn, stage, trailOf, type Stage } from '../support/rehearsal.ts'
import { temporaryFolder } from '../support/run-scenario.ts'
import { NakedWatch, type Spell } from '../support/naked-watch.ts'
import { watchedFetch, type Mishap } from './mishaps.ts'

export const SYMBOL = 'BTC/USDT'
export const TIMEFRAME = '5m'
export const CHECK_INTERVAL_MS = 60_000
export const CASH = 10_000
/** More than the scenario may use, and base that is none of ours: both have to stay. */
export const BALANCES = { USDT: 25_000, BTC: 0.75 } as const
export const INSTRUMENT = { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 } as const
/** The first candle of every tape. */
export const BEGIN = 1_577_836_800_000

export interface FaultSetup {
  readonly seed: number
  readonly candles: number
  /** Rules without an end last until {@link calmFrom}. */
  readonly rules: readonly FaultRule[]
  readonly policy?: Readonly<Record<string, number | null>>
  readonly flags?: PracticeOptions['symbolFlags']
  /** Exchange times at which the process is stopped, to be started again. */
  readonly stops?: readonly EpochMs[]
}

/** What a session left behind, at the exchange and on disk. */
export interface FaultRun {
  readonly setup: FaultSetup
  readonly directory: string
  readonly lines: readonly PastLine[]
  readonly exchange: PracticeExchange
  /** Requests of the bot that went wrong, as its HTTP client saw it. */
  readonly mishaps: readonly Mishap[]
  /** While what was held had no stop below all of it. */
  readonly spells: readonly Spell[]
  readonly starts: number
  readonly lastClose: number
}

/** Nothing goes wrong in the last fifth, at least 50 minutes, so that what is pending can settle. */
export const calmFrom = (candles: number): EpochMs => BEGIN + Math.min(Math.floor(candles * 0.8), candles - 10) * timeframeMs(TIMEFRAME)

/** Plays one session to the end of its tape, over its restarts. */
export async function faultSession(setup: FaultSetup): Promise<FaultRun> {
  const { candles, rules, flags, stops = [], seed } = setup
  const folder = temporaryFolder()
  const tape = randomWalk(candles, seed, TIMEFRAME, 0.006)
  writeFileSync(join(folder, 'tape.csv'), ['timestamp,open,high,low,close,volume', ...Array.from(tape.openTime, (time, row) =>
    [time, tape.open[row], tape.high[row], tape.low[row], tape.close[row], tape.volume[row]].join()), ''].join('\n'))
  const staged = await stage(scenarioOf(setup), folder)
  const watch = new NakedWatch(INSTRUMENT)
  const journal = join(folder, 'exchange.jsonl')
  const open = (): ReturnType<typeof practiceOn> => practiceOn(staged, {
    balances: BALANCES, onRequest: () => { watch.look(current.exchange) }, journal, ...(flags === undefined ? {} : { symbolFlags: flags }),
    faults: { seed, rules: rules.map((rule) => ({ to: calmFrom(candles), ...rule })) },
  })
  let current = await open()
  const mishaps: Mishap[] = []
  const hangs = rules.some(({ fault }) => fault === 'hang')
  const original = globalThis.fetch
  let directory = ''
  try {
    for (const [index, stop] of [...stops, Infinity].entries()) {
      const controller = new AbortController()
      globalThis.fetch = watchedFetch(original, {
        now: () => current.exchange.now(), timeoutMs: hangs ? 300 : null,
        failed: (mishap) => mishaps.push(mishap),
        passed: (time) => { if (time >= stop) controller.abort() },
      })
      directory = (await rehearseOn(staged, { exchange: current.venue, resume: index > 0, signal: controller.signal })).directory
      if (stop === Infinity) break
      // The exchange restarts as well: its journal brings everything back.
      await current.exchange.close()
      current = await open()
    }
  } finally {
    globalThis.fetch = original
    await current.exchange.close()
  }
  watch.end(current.exchange)
  return {
    setup, directory, lines: trailOf(directory), exchange: current.exchange, mishaps, spells: watch.spells, starts: stops.length + 1,
    lastClose: tape.close[candles - 1],
  }
}

function scenarioOf({ policy, seed }: FaultSetup): object {
  return {
    name: 'faulty', symbol: SYMBOL, timeframe: TIMEFRAME, market: { file: 'tape.csv' }, instrument: INSTRUMENT satisfies Omit<Instrument, 'symbol' | 'base' | 'quote'>,
    broker: { name: 'paper', cash: CASH }, strategy: { name: 'random', params: { seed, buy: 0.4, sell: 0.2 } },
    policy: { positionSize: 0.2, stopLoss: 0.01, takeProfit: 0.01, ...policy },
  }
}
export type { Stage }
