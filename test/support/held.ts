import { readFileSync, statSync } from 'node:fs'
import { afterAll } from 'vitest'
import type { LiveRun, OpenPosition } from '../../engine/positions.ts'
import { startExchange, type PracticeExchange, type PracticeOptions } from '../../plugins/exchange/exchange.ts'
import { instrumentOf } from '../../engine/core/instrument.ts'
import { until, workspace, type Outcome, type Running, type Variables, type Workspace } from './cli.ts'
import { candlesOf, COSTS, KEYS, START, tapeOf } from './practice.ts'

/** For machines with much else to do. */
export const PATIENCE_MS = 90_000
/** Seconds that pass in one: slow enough for requests of other processes to arrive in time, and the tape lasts for minutes. */
const PACE = '600'
const CANDLES = candlesOf(Array.from({ length: 6_000 }, () => [100, 101, 99, 100] as const))
const STEPS = { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 }
const KEY_VARIABLES: Variables = { BINANCE_API_KEY: KEYS.apiKey, BINANCE_API_SECRET: KEYS.apiSecret }

export type ShownPosition = OpenPosition & Pick<LiveRun, 'run' | 'state' | 'halted'> & { readonly pid: number | null }

const exchanges: PracticeExchange[] = []
const processes: Running[] = []
// Not when a test ends: those that run side by side cannot tell which of them that was.
afterAll(async () => {
  for (const { child } of processes.splice(0)) child.kill('SIGKILL')
  for (const exchange of exchanges.splice(0)) await exchange.close()
})

/** The process is gone when the test file ends. */
export function mortal(running: Running): Running {
  processes.push(running)
  return running
}

/** A practice exchange in this process, and bots in others that buy BTC/USDT at once and hold it. */
export class Hold {
  readonly here: Workspace
  readonly exchange: PracticeExchange
  #read: { readonly file: string; readonly size: number; readonly lines: readonly Record<string, unknown>[] } = { file: '', size: 0, lines: [] }

  private constructor(here: Workspace, exchange: PracticeExchange) {
    this.here = here
    this.exchange = exchange
  }

  /** `policy`: what the position is protected with. */
  static async open(policy: object = { stopLoss: 0.5, takeProfit: 2 }, options: Partial<PracticeOptions> = {}): Promise<Hold> {
    const here = workspace()
    here.put('candles.csv', ['timestamp,open,high,low,close,volume',
      ...CANDLES.map(({ openTime, open, high, low, close, volume }) => [openTime, open, high, low, close, volume].join())].join('\n'))
    here.put('hold.yaml', {
      name: 'hold', symbol: 'BTC/USDT', timeframe: '1m', market: { file: 'candles.csv' }, instrument: STEPS,
      broker: { name: 'paper', cash: 10_000, slippageBps: 0 }, strategy: { name: 'buy-and-hold' },
      policy: { minConfidence: 0.6, positionSize: 0.5, ...policy },
    })
    const exchange = await startExchange({
      tapes: [tapeOf(CANDLES)], instruments: { 'BTC/USDT': instrumentOf('BTC/USDT', STEPS) }, costs: COSTS, fillModel: 'conservative',
      balances: { USDT: 20_000, BTC: 1 }, startTime: START, pace: 'stepped', ...KEYS, ...options,
    })
    exchanges.push(exchange)
    return new Hold(here, exchange)
  }

  /** A rehearsal in a process of its own, that is gone when the test ends. */
  bot(...args: readonly string[]): Running {
    const own = args.includes('--exchange') ? [] : ['--exchange', this.exchange.url]
    return mortal(this.here.start(['rehearse', 'hold.yaml', '--speed', PACE, ...own, ...args], KEY_VARIABLES))
  }

  /** A bot whose position the trail knows of. */
  async holding(): Promise<Running> {
    const before = this.runs.length
    const bot = this.bot()
    await until(() => (this.runs.length > before && this.lines('fill').length > 0) || bot.child.exitCode !== null, 'the bot has bought', PATIENCE_MS)
    if (bot.child.exitCode !== null) throw new Error(`the bot has ended: ${(await bot.done).stderr}`)
    return bot
  }

  run(...args: readonly string[]): Promise<Outcome> {
    return this.here.run(args, KEY_VARIABLES)
  }

  async positions(...args: readonly string[]): Promise<readonly ShownPosition[]> {
    const { stdout } = await this.run('positions', '--json', ...args)
    return (JSON.parse(stdout) as { positions: ShownPosition[] }).positions
  }

  /** Run ids, oldest first. */
  get runs(): readonly string[] {
    return this.here.list('runs')
  }

  /** Whole lines of one type in the newest run's trail. */
  lines(type: string): readonly Record<string, unknown>[] {
    const file = this.here.path('runs', this.runs.at(-1) ?? '', 'audit.jsonl')
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (file !== this.#read.file || size !== this.#read.size) {
      // Asked again and again while a bot runs, and the exchange lives in this process.
      const whole = size === 0 ? [] : readFileSync(file, 'utf8').split('\n').slice(0, -1)
      this.#read = { file, size, lines: whole.map((line) => JSON.parse(line) as Record<string, unknown>) }
    }
    return this.#read.lines.filter((line) => line['type'] === type)
  }

  /** The newest run's trail is sound, and comes out the same when it is replayed. */
  async proveTrail(): Promise<void> {
    const run = this.runs.at(-1)!
    await this.here.succeeds(['verify', run])
    await this.here.succeeds(['replay', run])
  }

  /** Orders of bots that still rest. */
  get resting(): readonly string[] {
    return this.exchange.orders().filter(({ status, clientOrderId }) => status === 'NEW' && clientOrderId.startsWith('t')).map(({ clientOrderId }) => clientOrderId)
  }

  /** Free and locked. */
  get coins(): number {
    const { free, locked } = this.exchange.balance('BTC')
    return free + locked
  }
}

/** The process is gone when this resolves. */
export async function end({ child, done }: Running, signal: NodeJS.Signals): Promise<Outcome> {
  child.kill(signal)
  return done
}
