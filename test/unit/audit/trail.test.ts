import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Trail, type AuditLevel } from '../../../engine/audit/trail.ts'
import { prepareIndicators } from '../../../engine/core/indicators.ts'
import type { Opinion } from '../../../engine/core/opinion.ts'
import { SnapshotView } from '../../../engine/core/snapshot.ts'
import type { Consultation } from '../../../engine/pipeline/consultation.ts'
import { emptyJudgement } from '../../../engine/pipeline/pipeline.ts'
import type { ChainLink } from '../../../engine/pipeline/provider-chain.ts'
import type { Answer, Strategy } from '../../../engine/ports.ts'
import { columnsOf, MemoryMarket } from '../../support/memory-market.ts'
import { dice, linesOf, play, type LaneRun } from '../../support/play.ts'
import { leapingWalk } from '../../support/random-runs.ts'
import { runScenario, temporaryFolder } from '../../support/run-scenario.ts'

const HOUR = 3_600_000

/**
 * What a line has to look like, by another way than the trail's: JSON.stringify with indentation, whose line breaks are
 * the only real ones in it, put back on one line.
 */
const spaced = (value: unknown): string =>
  JSON.stringify(value, null, 1).replace(/,\n */g, ', ').replace(/\n */g, '')

const HOSTILE = [
  'he said "BUY", then \\ left', 'two\nlines\r\n\tand a tab', '{"status": "EXECUTED"}',
  '"status": "EXECUTED", "seq": 1',
  'ünïcödé, 買い, 🚀 and \u2028\u2029', 'a lone \ud83d half and \udc00 the other', '\u0000\u001f\u007f', '', '   ',
  'x'.repeat(5000), ',:,: ,  :', '</script><!--',
]

/** Rules that say hostile things, an AI that does so too and often fails, a policy that moves stops and sets limits. */
async function hostileRun(audit: AuditLevel): Promise<LaneRun> {
  const script = dice(4, 0.25, 0.15)
  const strategy: Strategy = {
    ...script.strategy,
    scored: true,
    indicators: () => ({
      'odd "name"': { indicator: 'source', source: 'volume' }, ma_short: { indicator: 'sma', period: 2 },
    }),
    technical: (snapshot, params) => ({
      ...script.strategy.technical(snapshot, params), reasoning: HOSTILE[(snapshot.time / HOUR) % HOSTILE.length],
    }),
  }
  let asked = 0
  const links: ChainLink[] = [
    {
      name: 'ai "1"',
      provider: {
        refines: true,
        answer: (conversation): Answer => {
          const turn = asked++
          if (turn % 5 === 0) throw new Error(HOSTILE[turn % HOSTILE.length])
          const usage = { inputTokens: turn, outputTokens: 3 }
          return { ...conversation.rules(), model: 'm\n1', latencyMs: turn % 7, ...(turn % 3 === 0 ? {} : { usage }) }
        },
      },
    },
    { name: 'technical', provider: { refines: false, answer: (conversation) => conversation.rules() } },
  ]
  const scenario = {
    name: 'hostile', symbol: 'BTC/USDT', timeframe: '1h', strategy: { name: 'random' },
    instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 },
    policy: {
      minConfidence: 0.2, stopLoss: 0.02, takeProfit: 0.02, positionSize: 0.9, trailingStop: 0.02, maxHold: 9,
      maxDailyLoss: 0.01,
    },
  }
  const market = new MemoryMarket(leapingWalk(300, 3), '1h')
  return (await play(scenario, { market, strategy: { strategy, params: {} }, links, audit })).runs[0]
}

const KEYS: Readonly<Record<string, string>> = {
  decision: 'type seq run timestamp symbol timeframe market_data provider model fallbacks phases action confidence '
    + 'reasoning status reason order usage latency_ms',
  session: 'type seq run timestamp event symbol first_candle warmup',
  intent: 'type seq run timestamp symbol order',
  fill: 'type seq run timestamp id symbol side price quantity notional fee_base fee_quote slippage liquidity reason '
    + 'ambiguous stop target',
  trade: 'type seq run timestamp symbol entryTime entryPrice exitTime exitPrice quantity reason fees pnl netReturn '
    + 'stop target candles',
  risk: 'type seq run timestamp rule state equity',
}
const ORDER_KEYS = ['type seq run timestamp id symbol state reason', 'type seq run timestamp event symbol from to']

describe('a trail', () => {
  it('is JSON with a space after every colon and comma, whatever is said in it', async () => {
    const { audit, lines } = await hostileRun('full')
    const texts = audit.split('\n')
    expect(texts.pop()).toBe('')
    expect(texts.length).toBe(lines.length)
    for (const [index, text] of texts.entries()) expect(text).toBe(spaced(lines[index]))
    expect(new Set(lines.map(({ type }) => type)))
      .toEqual(new Set(['session', 'decision', 'intent', 'order', 'fill', 'trade', 'risk']))
  })

  it('lets every text through unharmed', async () => {
    const { lines } = await hostileRun('full')
    const said = lines.filter(({ type }) => type === 'decision')
    for (const line of said) {
      const time = Date.parse(line.timestamp!)
      expect(line.reasoning).toBe(HOSTILE[(time / HOUR) % HOSTILE.length])
    }
    const errors = said.flatMap(({ fallbacks }) => fallbacks as { provider: string; error: string }[])
    expect(errors.length).toBeGreaterThan(50)
    for (const { provider, error } of errors) {
      const [kind, text] = [error.slice(0, error.indexOf(': ')), error.slice(error.indexOf(': ') + 2)]
      expect([provider, kind, HOSTILE.includes(text)]).toEqual(['ai "1"', 'error', true])
    }
    expect(said.some(({ model }) => model === 'm\n1')).toBe(true)
  })

  it('has its keys in a fixed order', async () => {
    const { lines } = await hostileRun('full')
    for (const line of lines) {
      const keys = Object.keys(line).join(' ')
      if (line.type === 'order') expect(ORDER_KEYS).toContain(keys)
      else expect(keys).toBe(KEYS[line.type])
      if (line.type !== 'decision') continue
      expect(Object.keys(line.market_data as object)).toEqual(['price', 'volume', 'trend', 'odd "name"', 'ma_short'])
      expect(Object.keys(line.phases as object)).toEqual(['initial', 'refinement', 'risk', 'confidence'])
      const { initial, refinement } = line.phases as { initial: object; refinement: object[] }
      for (const answer of [initial, ...refinement]) {
        expect(Object.keys(answer)).toEqual(['action', 'confidence', 'pTargetFirst', 'reasoning'])
      }
    }
  })

  it('numbers its lines without a gap, whatever its level', async () => {
    for (const level of ['full', 'trades'] as const) {
      const { lines } = await hostileRun(level)
      expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1))
    }
  })

  it('has exactly one line per decision, and the word "status" in no other line', async () => {
    const { audit, lines, decisions } = await hostileRun('full')
    const texts = audit.trimEnd().split('\n')
    const said = lines.filter(({ type }) => type === 'decision')
    expect(said).toHaveLength(300)
    expect(new Set(said.map(({ timestamp }) => timestamp)).size).toBe(300)
    expect(texts.filter((text) => text.includes('"status"'))).toHaveLength(300)
    // What `grep` finds is what there is, although some of the texts quote it.
    for (const [status, count] of Object.entries(decisions.byStatus)) {
      expect(texts.filter((text) => text.includes(`"status": "${status}"`)).length, status).toBe(count)
    }
    expect(Object.keys(decisions.byStatus).sort()).toEqual(['EXECUTED', 'REJECTED', 'SKIPPED'])
  })

  it('on level "trades" leaves out HOLDs and refusals, on level "off" everything', async () => {
    const [full, trades, off] = await Promise.all([hostileRun('full'), hostileRun('trades'), hostileRun('off')])
    const decided = trades.lines.filter(({ type }) => type === 'decision')
    expect(decided.length).toBeGreaterThan(10)
    expect(new Set(decided.map(({ status }) => status))).toEqual(new Set(['EXECUTED']))
    expect(trades.lines.length - decided.length).toBe(full.lines.filter(({ type }) => type !== 'decision').length)
    expect(off.audit).toBe('')
    expect(off.trades).toEqual(full.trades)
  })

  it('says the forecast of each answer where confidence is one: SELL is the stop before the target', async () => {
    const { lines } = await hostileRun('full')
    const seen = new Set<string>()
    for (const line of lines.filter(({ type }) => type === 'decision')) {
      const { initial } = line.phases as { initial: Opinion & { pTargetFirst: number | null } }
      seen.add(initial.action)
      if (initial.action === 'BUY') expect(initial.pTargetFirst).toBe(initial.confidence)
      if (initial.action === 'SELL') expect(initial.pTargetFirst).toBeCloseTo(1 - initial.confidence, 12)
      if (initial.action === 'HOLD') expect(initial.pTargetFirst).toBeNull()
    }
    expect([...seen].sort()).toEqual(['BUY', 'HOLD', 'SELL'])
  })

  it('records every rule that concerned an order, and the threshold', async () => {
    const { lines } = await hostileRun('full')
    const judged = lines.filter(({ type, action }) => type === 'decision' && action !== 'HOLD')
    for (const { action, phases, reason } of judged) {
      const { risk, confidence } = phases as {
        risk: { validated: boolean; order: string; checks: Record<string, boolean> }
        confidence: { confidence: number; required: number; verified: boolean }
      }
      expect(Object.keys(risk.checks)).toHaveLength(action === 'BUY' ? 19 : 5)
      expect(risk.order).toBe(action === 'BUY' ? 'entry' : 'exit')
      const failed = Object.keys(risk.checks).find((rule) => !risk.checks[rule]) ?? null
      expect(risk.validated).toBe(failed === null)
      expect(confidence.required).toBe(0.2)
      expect(confidence.verified).toBe(confidence.confidence >= 0.2)
      expect(reason).toBe(failed ?? (confidence.verified ? null : 'low-confidence'))
    }
    for (const { phases } of lines.filter(({ action }) => action === 'HOLD')) {
      expect(phases).toMatchObject({ risk: null, confidence: null })
    }
  })

  it('of a run on disk begins and ends with a session line', async () => {
    const folder = temporaryFolder()
    const { directory, figures, run } = await runScenario({
      name: 'on-disk', symbol: 'BTC/USDT', timeframe: '1h',
      market: { source: 'synthetic', seed: 5, candles: 400 },
      strategy: { name: 'random', params: { buy: 0.2, sell: 0.1 } },
    }, { out: join(folder, 'runs') }, {}, folder)
    const text = readFileSync(join(directory!, 'audit.jsonl'), 'utf8')
    const lines = linesOf(text)
    expect(text.trimEnd().split('\n')).toEqual(lines.map(spaced))
    expect(lines.every((line) => line.run === run)).toBe(true)
    expect(lines[0]).toMatchObject({ type: 'session', event: 'start', symbols: ['BTC/USDT'], timeframe: '1h' })
    expect(lines[1]).toMatchObject({ type: 'session', event: 'warmup' })
    expect(lines.at(-1)).toMatchObject({
      type: 'session', event: 'end', candles: figures.candles, final_equity: figures.finalEquity,
    })
    expect(lines.filter(({ type }) => type === 'decision')).toHaveLength(figures.candles)
    expect(lines.filter(({ type }) => type === 'trade')).toHaveLength(figures.trades)
    // Nothing in it depends on when it was run.
    expect(text).not.toContain(new Date().toISOString().slice(0, 10))
  })
})

/** A trail whose text can be read. */
function readable(scored = false): { trail: Trail; textOf: () => string } {
  let text = ''
  const trail = new Trail('full', { run: 'r', timeframe: '1h', scored }, (bytes) => {
    text += Buffer.from(bytes).toString()
  })
  return { trail, textOf: () => { trail.flush(); return text } }
}

describe('a decision line', () => {
  const consultation = (reasoning: string): Consultation => {
    const opinion = { action: 'HOLD', confidence: 0, reasoning } as const
    return {
      link: 0, provider: 'technical', model: null, initial: opinion, turns: [], opinion, fallbacks: [], steps: [], latencyMs: 0,
      usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
    }
  }

  /** Writes a HOLD per row whose close and volume are indicators, and reads the lines back. */
  async function written(rows: readonly { time: number; close: number; volume: number }[]) {
    const columns = columnsOf(rows.map(({ time, close, volume }) =>
      ({ openTime: time, open: close, high: close, low: close, close, volume })))
    const book = (await prepareIndicators({
      close: { indicator: 'source' }, volume_in: { indicator: 'source', source: 'volume' },
    }))(0)
    const snapshot = new SnapshotView('BTC/USDT', book)
    const { trail, textOf } = readable()
    const offset = book.append(columns, 0, rows.length)
    const said = consultation('nothing')
    rows.forEach(({ time, close, volume }, row) =>
      trail.held(snapshot.move(offset + row, time, close, volume), said))
    return { text: textOf(), lines: linesOf(textOf()) }
  }
  const marketOf = (line: object): Record<string, number | null> =>
    (line as { market_data: Record<string, number | null> }).market_data

  it.each([
    [70.12345678, 70.123457], [0.123456789, 0.12345679], [-0.123456789, -0.12345679], [1.0000004, 1], [0.999999999, 1],
    [12345.6789, 12345.6789], [0.000000004, 0], [0.00000001, 1e-8], [-3.5, -3.5], [100, 100], [0, 0],
    [61234.560000001, 61234.56], [NaN, null], [Infinity, null],
  ])('shows an indicator of %d as %d: 6 decimals, 8 below 1', async (value, expected) => {
    const { lines } = await written([{ time: 0, close: value, volume: 1 }])
    expect(marketOf(lines[0])['close']).toBe(expected)
  })

  it('rounds indicators and nothing else', async () => {
    const size = fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: -1.5, max: 1.5, noNaN: true }),
      fc.integer({ min: 0, max: 1_000_000 }).map((cents) => cents / 100),
    )
    const pairs = fc.array(fc.tuple(size, size), { minLength: 1, maxLength: 20 })
    await fc.assert(fc.asyncProperty(pairs, async (values) => {
      const rows = values.map(([close, volume], row) => ({ time: row * HOUR, close, volume }))
      const { text, lines } = await written(rows)
      text.trimEnd().split('\n').forEach((line, row) => {
        const [close, volume] = values[row]
        const market = marketOf(lines[row])
        // Prices and volumes are what they are; JSON has no -0.
        expect([market['price'], market['volume']]).toEqual([close + 0, volume + 0])
        for (const [name, value] of [['close', close], ['volume_in', volume]] as const) {
          const decimals = Math.abs(value) < 1 ? 8 : 6
          const shown = market[name]!
          expect(Math.abs(shown - value)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + Math.abs(value) * 1e-15)
          expect(shown).toBe(Number(shown.toFixed(decimals)) + 0)
        }
        expect(line).toBe(spaced(lines[row]))
      })
    }))
  })

  it('tells the time in UTC, to the millisecond', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 4_102_444_799_999 }), { minLength: 1, maxLength: 50 })
    await fc.assert(fc.asyncProperty(times, async (list) => {
      const { lines } = await written(list.map((time) => ({ time, close: 1, volume: 1 })))
      expect(lines.map(({ timestamp }) => timestamp)).toEqual(list.map((time) => new Date(time).toISOString()))
    }))
  })

  it('is whole, however many there are', async () => {
    const rows = Array.from({ length: 20_000 }, (_, row) =>
      ({ time: row * HOUR, close: 100 + (row % 97) / 7, volume: row }))
    const { text, lines } = await written(rows)
    expect(text.length).toBeGreaterThan(4_000_000)
    expect(lines).toHaveLength(20_000)
    expect(lines.map(({ seq }) => seq)).toEqual(rows.map((_, row) => row + 1))
    expect(lines.every((line, row) => marketOf(line)['volume'] === row)).toBe(true)
  })

  it('keeps apart what different opinions said, also when there are many', async () => {
    const book = (await prepareIndicators({}))(0)
    const snapshot = new SnapshotView('BTC/USDT', book)
    const { trail, textOf } = readable()
    const opinions = Array.from({ length: 12 }, (_, index) => consultation(`reason ${index}`))
    const order = Array.from({ length: 300 }, (_, turn) => (turn * 7 + (turn % 3)) % 12)
    for (const index of order) trail.held(snapshot.move(0, 0, 1, 1), opinions[index])
    expect(linesOf(textOf()).map(({ reasoning }) => reasoning)).toEqual(order.map((index) => `reason ${index}`))
  })

  it('may be begun long before it is concluded; its number is that of the moment of writing', async () => {
    const snapshot = new SnapshotView('BTC/USDT', (await prepareIndicators({}))(0))
    const { trail, textOf } = readable()
    const pending = trail.begin(snapshot.move(0, HOUR, 5, 6), consultation('é first'), emptyJudgement())
    trail.line('order', null, { id: 'x', note: undefined, nothing: null, rate: NaN })
    trail.held(snapshot.move(0, 2 * HOUR, 7, 8), consultation('second'))
    trail.conclude(pending, { status: 'FAILED', reason: 'why "not"', order: null })
    const text = textOf()
    const lines = linesOf(text)
    expect(lines.map(({ seq, type, timestamp }) => [seq, type, timestamp])).toEqual([
      [1, 'order', null], [2, 'decision', '1970-01-01T02:00:00.000Z'], [3, 'decision', '1970-01-01T01:00:00.000Z'],
    ])
    expect(lines[0]).toEqual({ type: 'order', seq: 1, run: 'r', timestamp: null, id: 'x', nothing: null, rate: null })
    expect(lines[2]).toMatchObject({ reasoning: 'é first', status: 'FAILED', reason: 'why "not"' })
    expect(marketOf(lines[2])['price']).toBe(5)
    expect(text.trimEnd().split('\n')).toEqual(lines.map(spaced))
  })
})
