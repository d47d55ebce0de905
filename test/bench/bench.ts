import { spawnSync } from 'node:child_process'
import { closeSync, createWriteStream, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { once } from 'node:events'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { Trail } from '../../engine/audit/trail.ts'
import type { CandleColumns } from '../../engine/core/candle.ts'
import type { Opinion } from '../../engine/core/opinion.ts'
import { DEFAULT_POLICY } from '../../engine/core/policy.ts'
import { defineStrategy, type MarketSource, type Strategy } from '../../engine/ports.ts'
import type { LaneVariant } from '../../engine/assemble.ts'
import { laneOf, runSession } from '../../engine/session/session.ts'
import { assembleInMemory } from '../support/in-memory.ts'
import { LoopingMarket, MemoryMarket, randomWalk } from '../support/memory-market.ts'
import { benchAnalytics } from './analytics.ts'
import { handWritten } from './hand-written.ts'

const MILLION = 1_000_000
const ROUNDS = 5
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tapedeck-bench-'))
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const scenario = (strategy: string, minConfidence: number): object => ({
  name: 'bench', symbol: 'BTC/USDT', timeframe: '1m',
  broker: { cash: 10_000, fees: { maker: 0.001, taker: 0.001, asset: 'quote' }, slippageBps: 0, fillModel: 'open-on-gap' },
  strategy: { name: strategy },
  policy: { minConfidence, stopLoss: 0.05, takeProfit: 0.03, positionSize: 0.02 },
})

/** The rules of `sma-cross` written here, against nothing but the public interface. */
const HOLD: Opinion = { action: 'HOLD', confidence: 0, reasoning: '' }
const BUY: Opinion = { action: 'BUY', confidence: 1, reasoning: 'cross up' }
const SELL: Opinion = { action: 'SELL', confidence: 1, reasoning: 'cross down' }
const publicRules = defineStrategy({
  name: 'bench-rules',
  description: 'The same rules outside the house.',
  params: z.strictObject({}),
  warmup: () => 21,
  indicators: () => ({
    fast: { indicator: 'sma', period: 9 }, slow: { indicator: 'sma', period: 21 }, strength: { indicator: 'rsi', period: 14 },
  }),
  technical(snapshot) {
    const fast = snapshot.value('fast')
    const slow = snapshot.value('slow')
    const fastBefore = snapshot.value('fast', 1)
    const slowBefore = snapshot.value('slow', 1)
    if (fastBefore <= slowBefore && fast > slow && snapshot.value('strength') < 70) return BUY
    return fastBefore >= slowBefore && fast < slow ? SELL : HOLD
  },
})

interface Measured {
  readonly ms: number
  readonly candles: number
  readonly trades: number
  readonly equity: number
}

interface Setting {
  readonly market: MarketSource
  readonly strategy?: string
  readonly own?: Strategy
  readonly lanes?: number
  readonly audit?: boolean
}

async function engine({ market, strategy = 'sma-cross', own, lanes = 1, audit = false }: Setting): Promise<Measured> {
  const file = audit ? openSync(join(folder, 'audit.jsonl'), 'w') : null
  const trail = file === null ? null : new Trail('full', { run: 'bench', timeframe: '1m', scored: false }, (bytes) => void writeSync(file, bytes))
  const variants: LaneVariant[] = Array.from({ length: lanes }, (_, index) => ({
    policy: { ...DEFAULT_POLICY, minConfidence: index / lanes, minExitConfidence: 0 },
  }))
  const memory = own === undefined ? { market } : { market, strategy: { strategy: own, params: {} } }
  const { plan } = await assembleInMemory(scenario(strategy, 0), memory, variants, [trail])
  const result = await runSession(plan)
  trail?.flush()
  if (file !== null) closeSync(file)
  const { portfolio } = laneOf(result, 0)
  return { ms: result.elapsedMs, candles: result.candles, trades: portfolio.trades.length, equity: portfolio.cash }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const rate = (candles: number, ms: number): string => `${(candles / ms / 1000).toFixed(2).padStart(7)} M candles/s`

const tape: CandleColumns = randomWalk(MILLION, 7)
const market = (): MarketSource => new MemoryMarket(tape, '1m')

const cases: Readonly<Record<string, () => Measured | Promise<Measured>>> = {
  '(a) hand-written loop over typed arrays': () => handWritten(tape),
  '(b) engine, audit off': () => engine({ market: market() }),
  '(c) engine, audit full': () => engine({ market: market(), audit: true }),
  '(d) autonomous-scalper, 1 lane': () => engine({ market: market(), strategy: 'autonomous-scalper' }),
  '(d) autonomous-scalper, 10 thresholds': () => engine({ market: market(), strategy: 'autonomous-scalper', lanes: 10 }),
  '(d) autonomous-scalper, 100 thresholds': () => engine({ market: market(), strategy: 'autonomous-scalper', lanes: 100 }),
  '(e) the rules of b as a public Strategy': () => engine({ market: market(), own: publicRules }),
}

say(`Tapedeck bench · Node ${process.versions.node} · ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}`)
say(`1,000,000 synthetic 1m candles in memory; SMA 9/21 with RSI 14 < 70, stop 5 %, target 3 %, 2 % per entry, fee 0.1 %.`)
say(`cold = first run in this process (b is the first engine run); warm = median of ${ROUNDS} more, taken in turn.\n`)

const times = new Map<string, number[]>()
const outcomes = new Map<string, Measured>()
// The engine goes first, so that its cold figure is really cold.
const order = ['(b) engine, audit off', ...Object.keys(cases).filter((name) => !name.startsWith('(b)'))]
for (let round = 0; round <= ROUNDS; round++) {
  for (const name of order) {
    const measured = await cases[name]()
    outcomes.set(name, measured)
    times.set(name, [...(times.get(name) ?? []), measured.ms])
  }
}
const warm = (name: string): number => median(times.get(name)!.slice(1))
const base = warm('(a) hand-written loop over typed arrays')
say(`${''.padEnd(42)} ${'cold'.padStart(19)} ${'warm'.padStart(20)}   warm ÷ a   trades`)
for (const name of Object.keys(cases)) {
  const { candles, trades } = outcomes.get(name)!
  say(`${name.padEnd(42)} ${rate(candles, times.get(name)![0])} ${rate(candles, warm(name))} ${(base / warm(name)).toFixed(3).padStart(10)} ${String(trades).padStart(8)}`)
}
const b = outcomes.get('(b) engine, audit off')!
const e = outcomes.get('(e) the rules of b as a public Strategy')!
const a = outcomes.get('(a) hand-written loop over typed arrays')!
say(`\ne ÷ b ${(warm('(b) engine, audit off') / warm('(e) the rules of b as a public Strategy')).toFixed(2)}   same trades: ${b.trades === e.trades && b.equity === e.equity}`)
say(`a made ${a.trades} trades, b ${b.trades}: a's plain running sums turn exact ties of the averages the other way`)
say(`100 thresholds take ${(warm('(d) autonomous-scalper, 100 thresholds') / 1000).toFixed(2)} s for 1 M candles`)

say('\ncost per candle, audit off (the tape repeats; batches are reused)')
const costs: number[] = []
for (const candles of [100_000, MILLION, 10 * MILLION]) {
  const runs: number[] = []
  for (let round = 0; round < (candles > MILLION ? 1 : 3); round++) runs.push((await engine({ market: new LoopingMarket(tape, '1m', candles) })).ms)
  costs.push((median(runs) * 1e6) / candles)
  say(`  ${candles.toLocaleString('en').padStart(10)} candles: ${costs[costs.length - 1].toFixed(1).padStart(6)} ns`)
}
say(`  10 M against 1 M: ${(costs[2] / costs[1]).toFixed(2)} ×`)

await benchAnalytics(folder, say)

/** Runs the compiled program in a process of its own and tells how long it took and how much memory it needed. */
function program(args: readonly string[]): { readonly seconds: number; readonly mebibytes: number; readonly stdout: string } {
  const watch = 'data:text/javascript,process.on("exit",()=>process.stderr.write("\\nmaxRSS="+process.resourceUsage().maxRSS))'
  const begun = performance.now()
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', watch, join(root, 'dist/engine/cli/main.js'), ...args], {
    encoding: 'utf8', cwd: folder, maxBuffer: 1 << 26,
  })
  const seconds = (performance.now() - begun) / 1000
  if (status !== 0) throw new Error(stderr)
  return { seconds, mebibytes: Number(/maxRSS=(\d+)/.exec(stderr)?.[1]) / 1024, stdout }
}

async function writeTape(path: string, candles: number): Promise<void> {
  const stream = createWriteStream(path)
  stream.write('timestamp,open,high,low,close,volume\n')
  for await (const { columns, start, end } of new LoopingMarket(tape, '1m', candles).events()) {
    let text = ''
    for (let row = start; row < end; row++) {
      text += `${columns.openTime[row]},${columns.open[row]},${columns.high[row]},${columns.low[row]},${columns.close[row]},${columns.volume[row]}\n`
    }
    if (!stream.write(text)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'close')
}

say('\nwhole process: CSV → result, audit off, no report')
for (const [candles, rounds] of [[MILLION, 5], [10 * MILLION, 1]] as const) {
  await writeTape(join(folder, 'tape.csv'), candles)
  writeFileSync(join(folder, 'bench.yaml'), JSON.stringify({ ...scenario('sma-cross', 0), market: { file: 'tape.csv' } }))
  const runs = Array.from({ length: rounds }, () => program(['backtest', 'bench.yaml', '--audit', 'off', '--no-report', '--json']))
  const { figures } = JSON.parse(runs[0].stdout) as { figures: { candles: number; elapsedMs: number } }
  say(`  ${candles.toLocaleString('en').padStart(10)} candles: ${median(runs.map(({ seconds }) => seconds)).toFixed(2)} s, ` +
    `peak ${Math.max(...runs.map(({ mebibytes }) => mebibytes)).toFixed(0)} MiB, loop ${figures.elapsedMs.toFixed(0)} ms (${figures.candles.toLocaleString('en')} read)`)
}
say('\nwhole process: replay of 100,000 recorded exchanges, audit off, no report; each question is written again and compared')
const EXCHANGES = 100_000
/** Candles for the averages, about which nothing is asked. */
const WARM_UP = 50
for (const turns of [0, 1]) {
  await writeTape(join(folder, 'asked.csv'), EXCHANGES / (turns + 1) + WARM_UP)
  writeFileSync(join(folder, 'asked.yaml'), JSON.stringify({
    ...scenario('autonomous-scalper', 0.6), market: { file: 'asked.csv' }, providers: ['simulated', 'technical'], refinement: { turns },
    recording: { path: `answers-${turns}` },
  }))
  program(['record', 'asked.yaml'])
  const runs = Array.from({ length: 3 }, () => program(['backtest', 'asked.yaml', '--audit', 'off', '--no-report', '--json']))
  const results = runs.map(({ stdout }) => JSON.parse(stdout) as { figures: { elapsedMs: number }; decisions: { aiAsked: number } })
  const perSecond = Math.round((results[0].decisions.aiAsked / median(results.map(({ figures }) => figures.elapsedMs))) * 1000)
  say(`  ${turns + 1} per decision: ${perSecond.toLocaleString('en')} decisions/s after loading, ${(perSecond * (turns + 1)).toLocaleString('en')} exchanges/s; `
    + `${median(runs.map(({ seconds }) => seconds)).toFixed(2)} s in all, peak ${Math.max(...runs.map(({ mebibytes }) => mebibytes)).toFixed(0)} MiB`)
}
const starts = Array.from({ length: 7 }, () => program(['--version']).seconds)
say(`\nstart-up of --version: ${median(starts).toFixed(3)} s`)
rmSync(folder, { recursive: true, force: true })
