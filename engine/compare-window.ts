import { createHash } from 'node:crypto'
import { makeDeps, openMarket, SimulatedClock, type World } from './assemble.ts'
import type { ReadWindow } from './compare/honesty.ts'
import { TapeColumns } from './compare/tape-columns.ts'
import type { Resolution } from './config/resolve.ts'
import { instrumentOf } from './core/instrument.ts'
import type { Costs } from './core/matching.ts'
import { DAY_MS } from './core/time.ts'
import { timeframeMs } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import { roundTrip } from './report/baselines.ts'
import { ChartCollector } from './report/chart-candles.ts'
import type { ChartCandles } from './report/report-data.ts'

/** A scenario's candles, read once before anything is decided about them. */
export interface CandlesRead {
  readonly window: ReadWindow
  readonly charts: readonly ChartCandles[]
  readonly tape: TapeColumns
  readonly costs: Costs
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

/** Everything of a scenario that decides which candles it reads and what holding them is worth. */
export const windowKey = ({ scenario: { symbols, timeframe, market, instruments, broker }, folder }: Resolution): string =>
  JSON.stringify([symbols, timeframe, market, instruments, broker, folder])

/** Reads a scenario's tape. Throws TD_TAPE_EMPTY and what the market source throws. */
export async function readWindow(resolution: Resolution, world: World): Promise<CandlesRead> {
  const { scenario, folder, plugins } = resolution
  const { symbols, timeframe, seed } = scenario
  const instruments = Object.fromEntries(symbols.map((symbol) => [symbol, instrumentOf(symbol, scenario.instruments[symbol])]))
  const clock = new SimulatedClock()
  const market = await openMarket(scenario, folder, plugins.market, instruments, makeDeps(world, clock, seed, plugins.market.env))
  const broker = await plugins.broker.create(scenario.broker.options, makeDeps(world, clock, seed, plugins.broker.env), { instruments, timeframe })
  const { cash, costs } = await broker.account()
  const tape = new TapeColumns(symbols)
  const ms = timeframeMs(timeframe)
  const collectors = symbols.map((symbol) => new ChartCollector(symbol, ms))
  const hash = createHash('sha256').update(JSON.stringify([symbols, timeframe]))
  for await (const event of market.events()) {
    if (event.kind !== 'candles') continue
    const { columns, start, end, symbol, decides } = event
    hash.update(`${symbol} ${event.timeframe} ${end - start}\n`)
    for (const column of [columns.openTime, columns.open, columns.high, columns.low, columns.close, columns.volume]) {
      hash.update(new Uint8Array(column.buffer, column.byteOffset + start * 8, (end - start) * 8))
    }
    tape.observe(event)
    if (decides) collectors[symbols.indexOf(symbol)].add(columns, start, end)
    if (world.signal.aborted) break
  }
  world.signal.throwIfAborted()
  if (tape.symbols.every(({ length }) => length === 0)) throw new TapedeckError('TD_TAPE_EMPTY', `${scenario.name}: not one candle was read`)
  const { notes = [], warnings = [] } = market.facts?.() ?? {}
  return { window: windowOf(scenario, tape, hash.digest('hex'), cash, costs), charts: collectors.map((one) => one.result()), tape, costs, notes, warnings }
}

function windowOf(
  { name, symbols, timeframe }: Resolution['scenario'], { symbols: tapes }: TapeColumns, candles: string, cash: number, costs: Costs,
): ReadWindow {
  const read = tapes.filter(({ length }) => length > 0)
  const firstOpen = Math.min(...read.map(({ columns }) => columns.openTime[0]))
  const lastOpen = Math.max(...read.map(({ columns, length }) => columns.openTime[length - 1]))
  const firstDay = Math.floor(firstOpen / DAY_MS)
  const days = Math.floor((lastOpen + timeframeMs(timeframe) - 1) / DAY_MS) - firstDay + 1
  const dailyEquity = holdEquity(tapes, firstDay, days, cash, costs, timeframeMs(timeframe))
  let peak = cash
  let worst = 0
  for (const equity of dailyEquity) {
    peak = Math.max(peak, equity)
    worst = Math.min(worst, equity / peak - 1)
  }
  return {
    scenario: name, symbols, timeframe, candles, firstOpen, lastOpen, quote: symbols[0].split('/')[1], startCash: cash,
    buyAndHold: {
      totalReturn: dailyEquity[days - 1] / cash - 1, maxDrawdown: worst, dailyEquity, firstDay,
      note: `all cash${symbols.length === 1 ? '' : `, in ${symbols.length} equal parts,`} at the first open, out at the last close, same costs; drawdown of days`,
    },
  }
}

/** Worth of holding at each day's last close, as if it were sold there: the costs of both ends are in it from the first day on. */
function holdEquity(tapes: TapeColumns['symbols'], firstDay: number, days: number, cash: number, costs: Costs, ms: number): number[] {
  const equity = new Float64Array(days)
  for (const { columns, length } of tapes) {
    if (length === 0) continue
    const part = cash / tapes.length
    let day = 0
    let worth = part
    for (let row = 0; row < length; row++) {
      const of = Math.floor((columns.openTime[row] + ms - 1) / DAY_MS) - firstDay
      while (day < of) equity[day++] += worth
      worth = part * roundTrip(columns.open[0], columns.close[row], costs)
    }
    while (day < days) equity[day++] += worth
  }
  return [...equity]
}
