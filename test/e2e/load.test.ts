import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { auditOf, program, sample, until, workspace, type Running } from '../support/cli.ts'
import { CountedStream } from '../support/counted-stream.ts'
import { EventReader } from '../support/event-reader.ts'
import { end, mortal, PATIENCE_MS } from '../support/held.ts'
import { makeLoad, metric, percentile, starvedMs, type Asked } from '../support/load.ts'

const full = process.env['TAPEDECK_FULL'] === '1'
const DAYS = full ? 40 : 5
const STREAMS = 100
/** Of them, so many do not read. */
const SLOW = 5
const PER_SECOND = { '/api/autonomous-status': 200, '/api/autonomous-history': 10, '/api/positions': 10 }
const SCENARIO = {
  name: 'load', symbol: 'BTC/USDT', timeframe: '1h', market: { source: 'synthetic' },
  strategy: { name: 'random', params: { seed: 5, buy: 0.3, sell: 0.1 } },
  policy: { minConfidence: 0.6, stopLoss: 0.02, takeProfit: 0.02, positionSize: 0.2, trailingStop: 0.015 },
}
/** Left to itself, V8 lets garbage lie as long as the machine has memory: resident memory would tell about the machine. */
const HEAP_MB = 128
/** Share of the time in a queue for a processor from which on times say more about the machine than about the server. */
const STARVED = 0.15

/** A bot that waits for the first candle. */
interface Bot {
  readonly url: string
  readonly pid: number
  /** Lets time begin. */
  readonly go: () => Promise<void>
  /** The tape is over and everything is written. */
  readonly over: () => boolean
}

interface Traded<T> {
  readonly lines: readonly string[]
  readonly decisions: readonly number[]
  readonly seen: T
}

async function said(running: Running, from: 'stdout' | 'stderr', what: RegExp): Promise<string> {
  let text = ''
  running.child[from]!.on('data', (more: string) => { text += more })
  await until(() => what.test(text) || running.child.exitCode !== null, String(what), PATIENCE_MS)
  const found = what.exec(text)
  if (found === null) throw new Error(`it has ended: ${(await running.done).stderr}`)
  return found[1]
}

/**
 * `tapedeck live` with its server trades a whole tape as fast as it can. The exchange's time is stepped, as in a rehearsal:
 * it stands still while anything is being done, so what is decided cannot depend on how long that took, unless load
 * finds its way into a decision. A tape whose time passes by itself would make two runs differ without any load.
 */
async function trade<T>(beside: (bot: Bot) => Promise<T>): Promise<Traded<T>> {
  const place = workspace()
  place.put('load.yaml', SCENARIO)
  const to = new Date(Date.UTC(2024, 0, 2 + DAYS)).toISOString()
  const exchange = mortal(place.start(['exchange', '--file', sample, '--to', to, '--stepped', '--history', '30', '--port', '0', '--json']))
  const venue = await said(exchange, 'stdout', /"url": ?"(.*?)"/)
  const hold = async (ms: number): Promise<void> => {
    await fetch(`${venue}/practice/hold`, {
      method: 'POST', headers: { 'content-type': 'application/json', 'x-mbx-apikey': 'practice' }, body: JSON.stringify({ by: 'whoever watches', ms }),
    })
  }
  await hold(10_000)
  const renewal = setInterval(() => { void hold(10_000) }, 1_000)
  try {
    const bot = mortal(place.startCommand(process.execPath,
      [`--max-old-space-size=${HEAP_MB}`, program, 'live', 'load.yaml', '--exchange', venue, '--port', '0'], { CHECK_INTERVAL: '3600' }))
    const url = await said(bot, 'stderr', /Dashboard: (http:\S+)/)
    await until(() => place.list('runs').some((name) => place.list('runs', name).includes('run.json')), 'the run has begun', PATIENCE_MS)
    const run = place.list('runs').find((name) => name.startsWith('load-'))!
    const seen = await beside({
      url, pid: bot.child.pid!,
      async go() {
        clearInterval(renewal)
        await hold(0)
      },
      over() {
        if (bot.child.exitCode !== null || bot.child.signalCode !== null) throw new Error('the bot has ended')
        return (JSON.parse(place.read('runs', run, 'run.json')) as { readonly state: string }).state !== 'running'
      },
    })
    expect((await end(bot, 'SIGTERM')).code).toBe(0)
    await end(exchange, 'SIGTERM')
    const trail = auditOf(place, run)
    // Nothing else in a trail comes from the wall clock: the run's name holds its start, and its orders are named after it.
    const lines = trail.map(({ prev: _, run: __, ...line }) => JSON.stringify(line).replaceAll(/"t[0-9a-f]{8}-/g, '"t-'))
    return { lines, decisions: trail.filter(({ type }) => type === 'decision').map(({ seq }) => seq as number), seen }
  } finally {
    clearInterval(renewal)
  }
}

interface Loaded {
  readonly asked: readonly Asked[]
  readonly readers: readonly CountedStream[]
  readonly slow: readonly CountedStream[]
  /** Comes back again and again. */
  readonly wanderer: CountedStream
  /** Ids of the decisions that an event stream told. */
  readonly told: readonly number[]
  /** Resident memory over time, in bytes. */
  readonly memory: readonly number[]
  readonly seconds: number
  /** Share of the time in which the bot wanted a processor and got none; null where nobody knows. */
  readonly starved: number | null
}

async function underLoad({ url, pid, go, over }: Bot): Promise<Loaded> {
  const streams: CountedStream[] = []
  for (let count = 1; count < STREAMS; count++) streams.push(await CountedStream.open(url))
  const slow = streams.slice(0, SLOW)
  const [wanderer, ...readers] = streams.slice(SLOW)
  for (const one of slow) one.pause()
  const whole = await EventReader.open(url)
  const load = makeLoad(url, PER_SECOND)
  try {
    await expect.poll(() => metric(url, 'tapedeck_http_requests_total'), { timeout: PATIENCE_MS }).toBeGreaterThan(200)
    expect(await metric(url, 'tapedeck_event_clients')).toBe(STREAMS)
    const [began, starvedBefore] = [performance.now(), starvedMs(pid)]
    const memory: number[] = []
    await go()
    while (!over()) {
      await pause(500)
      memory.push(await metric(url, 'tapedeck_resident_memory_bytes'))
      await wanderer.comeBack()
    }
    const starvedAfter = starvedMs(pid)
    const ms = performance.now() - began
    const asked = await load.end()
    for (const one of slow) one.resume()
    await until(() => new Set(streams.map(({ newest }) => newest)).size === 1, 'every stream has come to the end', PATIENCE_MS)
    const told = whole.events.filter(({ event }) => event === 'decision').map(({ data }) => (data as { readonly id: number }).id)
    return {
      asked, readers, slow, wanderer, told, memory, seconds: ms / 1000,
      starved: starvedBefore === null || starvedAfter === null ? null : (starvedAfter - starvedBefore) / ms,
    }
  } finally {
    await load.end()
    whole.close()
    for (const one of streams) one.close()
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe(`a bot that trades ${DAYS} days as fast as it can, asked 200 times a second and followed by ${STREAMS} streams`, () => {
  it('decides as it does alone, answers everything, loses no event and keeps its memory', async () => {
    const alone = await trade(async ({ go, over }) => {
      await go()
      await until(over, 'the tape is over', PATIENCE_MS)
    })
    const { lines, decisions, seen } = await trade(underLoad)
    const { asked, readers, slow, wanderer, told, memory, seconds, starved } = seen

    expect(decisions.length).toBeGreaterThan(DAYS * 20)
    expect(lines).toEqual(alone.lines)

    expect(asked.map(({ path, refused, failed }) => [path, refused, failed])).toEqual(Object.keys(PER_SECOND).map((path) => [path, 0, 0]))
    expect(told).toEqual(decisions)
    expect(readers.filter(({ gaps, resets, events, newest }) => gaps > 0 || resets > 0 || events < newest - 10)).toEqual([])
    // Whoever falls behind is told to fetch everything again, and never left with a hole that it does not know of.
    expect(slow.map(({ gaps }) => gaps)).toEqual(slow.map(() => 0))
    expect([wanderer.gaps, wanderer.resets]).toEqual([0, 0])
    expect(wanderer.returns).toBeGreaterThan(1)

    const [{ times, answered }] = asked
    const [median, late] = [percentile(times, 0.5), percentile(times, 0.99)]
    const quarter = Math.ceil(memory.length / 4)
    const [warm, last] = [mean(memory.slice(quarter, 2 * quarter)), mean(memory.slice(-quarter))]
    console.info(`load: ${decisions.length} decisions, ${answered} × status in ${seconds.toFixed(0)} s: p50 ${median.toFixed(1)} ms, p99 ${late.toFixed(1)} ms, longest ${times.at(-1)!.toFixed(0)} ms; `
      + `RSS ${(warm / 2 ** 20).toFixed(0)} MiB after warm-up, ${(last / 2 ** 20).toFixed(0)} MiB in the end; ${readers[0].events} events a stream, `
      + `${slow.reduce((sum, { resets }) => sum + resets, 0)} resets of ${SLOW} slow ones; starved ${starved === null ? 'unknown' : `${(starved * 100).toFixed(0)} %`}`)
    if (!full) return
    // Young objects and pages that are not given back vary by tens of MB; whatever grows with each request, event or
    // candle would not stop at a fifth, and not live in so small a heap.
    expect(last / warm).toBeLessThan(1.2)
    // Where others use the processors, the time in their queue is not the server's.
    if (starved !== null && starved < STARVED) {
      expect(answered / seconds).toBeGreaterThan(180)
      expect(late).toBeLessThan(50)
    } else console.info(`load: the bot had to wait for a processor too often, its p99 of ${late.toFixed(1)} ms says nothing`)
  }, 300_000)
})
