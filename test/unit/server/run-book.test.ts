import { beforeAll, describe, expect, it } from 'vitest'
import { readLiveRun } from '../../../engine/positions.ts'
import type { PastLine } from '../../../engine/ports.ts'
import { KEPT, RunBook, type Change } from '../../../engine/server/run-book.ts'
import { withoutPaths } from '../../../engine/server/rows.ts'
import { runInfo } from '../../../engine/server/run-info.ts'
import { readRun } from '../../../engine/session/live-directory.ts'
import { trailOf } from '../../support/rehearsal.ts'
import { runScenario, temporaryFolder } from '../../support/run-scenario.ts'
import { ASKED, bookOf, DICE, rehearsed } from '../../support/served-run.ts'

let dice: string
let asked: string
beforeAll(async () => {
  dice = await rehearsed(DICE)
  asked = await rehearsed(ASKED)
})

type Figures = Readonly<Record<string, number>>
const recordOf = (directory: string): { figures: Figures; decisions: { total: number; byStatus: Figures } } =>
  readRun(directory) as never
const count = (directory: string, type: string): number => trailOf(directory).filter((line) => line.type === type).length

describe('RunBook', () => {
  it('counts what the run itself counted', () => {
    for (const directory of [dice, asked]) {
      const book = bookOf(directory)
      const { figures, decisions } = recordOf(directory)
      expect(book.decisionCount).toBe(decisions.total)
      expect(Object.fromEntries(book.statuses)).toEqual(decisions.byStatus)
      expect(book.tradeCount).toBe(figures['trades'])
      expect(book.equity).toBeCloseTo(figures['finalEquity'], 6)
      expect(book.fees).toBeCloseTo(figures['fees'], 6)
      expect(book.equityPoints.maxDrawdown).toBeCloseTo(figures['maxDrawdown'], 5)
      expect(book.positions).toEqual(readLiveRun(directory).positions)
    }
    expect(bookOf(dice).winRate).toBe(recordOf(dice).figures['winRate'])
    expect(bookOf(asked).coverage).toBeCloseTo(recordOf(asked).figures['coverage'], 9)
  })

  it('knows who was asked, who fell back, and what became of it', () => {
    const { decisions } = bookOf(asked)
    const [last] = decisions.newest(1)
    const line = trailOf(asked).findLast(({ type }) => type === 'decision')!
    expect(last.row).toMatchObject({
      id: line['seq'], timestamp: line.timestamp, action: line['action'], status: line['status'], provider: line['provider'],
    })
    expect(last.history).toEqual({
      timestamp: line.timestamp, market_data: line['market_data'], reasoning: line['reasoning'], confidence: line['confidence'],
      action: line['action'], status: line['status'],
    })
    const judged = decisions.newest(500, ({ row }) => row.provider === 'simulated' && row.status === 'EXECUTED')
    expect(judged.length).toBeGreaterThan(0)
    for (const { row } of judged) {
      expect(row.phases).toMatchObject({ initial: true, refinement: 1, risk: true, confidence: true })
      if (row.action === 'BUY') expect(row.required).toBe(0.645)
    }
  })

  it('follows a drawdown halt, and a resume', () => {
    const lines = trailOf(dice)
    const halted = lines.find(({ type, state }) => type === 'risk' && state === 'HALTED')!
    const book = bookOf(dice)
    expect(book.risk).toEqual({ state: 'HALTED', reason: 'max-drawdown', since: halted.timestamp })
    const next = (fields: object): void => { book.see({ seq: book.seq + 1, run: 'x', timestamp: '2024-01-07T00:00:00.000Z', ...fields } as unknown as PastLine) }
    next({ type: 'risk', rule: 'order-under-way', state: 'ACTIVE', symbol: 'BTC/USDT' })
    expect(book.risk.state).toBe('HALTED')
    next({ type: 'risk', rule: 'operator', state: 'ACTIVE', equity: 1 })
    expect(book.risk.state).toBe('RUNNING')
    next({ type: 'risk', rule: 'max-daily-loss', state: 'REDUCING', equity: 1 })
    expect(book.risk).toMatchObject({ state: 'REDUCING', reason: 'max-daily-loss' })
    next({ type: 'market', event: 'wake', timestamp: '2024-01-07T00:00:01.000Z' })
    expect(book.risk.state).toBe('RUNNING')
    next({ type: 'operator', act: 'halt', symbol: null, reason: 'lunch' })
    next({ type: 'risk', rule: 'operator', state: 'HALTED', equity: 1 })
    expect(book.risk).toMatchObject({ state: 'HALTED', reason: 'lunch' })
  })

  it('takes what a person stopped for lifted by that person only, whatever limits and days come and go', () => {
    const book = new RunBook()
    const next = (fields: object, day = 7): void => {
      book.see({ seq: book.seq + 1, run: 'x', timestamp: `2024-01-0${day}T12:00:00.000Z`, ...fields } as unknown as PastLine)
    }
    next({ type: 'operator', act: 'reduce', symbol: null, reason: 'max-daily-loss' })
    next({ type: 'risk', rule: 'operator', state: 'REDUCING', equity: 1 })
    next({ type: 'risk', rule: 'max-daily-loss', state: 'REDUCING', equity: 1 })
    next({ type: 'market', event: 'wake' }, 8)
    expect(book.risk).toEqual({ state: 'REDUCING', reason: 'max-daily-loss', since: '2024-01-07T12:00:00.000Z' })
    next({ type: 'operator', act: 'halt', symbol: null, reason: 'lunch' }, 8)
    next({ type: 'risk', rule: 'operator', state: 'HALTED', equity: 1 }, 8)
    next({ type: 'risk', rule: 'max-daily-loss', state: 'REDUCING', equity: 1 }, 8)
    expect(book.risk).toMatchObject({ state: 'HALTED', reason: 'lunch' })
    next({ type: 'operator', act: 'resume', symbol: null, reason: 'back' }, 8)
    next({ type: 'risk', rule: 'operator', state: 'REDUCING', equity: 1 }, 8)
    expect(book.risk).toMatchObject({ state: 'REDUCING', reason: 'max-daily-loss' })
    next({ type: 'market', event: 'wake' }, 9)
    expect(book.risk.state).toBe('RUNNING')
  })

  it.each([
    ['x:/root/a/b is full', 'x:b is full'], ['file:///root/a/b', 'b'], ['open \'/root/a/b\'', 'open \'b\''],
    ['see http://127.0.0.1:5000/api/run and BTC/USDT', 'see http://127.0.0.1:5000/api/run and BTC/USDT'],
  ])('tells nobody where things are: %s', (given, told) => {
    expect(withoutPaths(given)).toBe(told)
    expect(runInfo({ warnings: [given] }, new RunBook()).notes).toEqual([told])
    expect(runInfo({}, new RunBook(), { notes: [given] }).notes).toEqual([told])
  })

  it('shows each order once, as it stands', () => {
    const book = bookOf(dice)
    const orders = book.orders.newest(KEPT.orders)
    const fills = count(dice, 'fill')
    expect(fills).toBeGreaterThan(4)
    expect(orders.filter(({ state }) => state === 'filled')).toHaveLength(fills)
    expect(new Set(orders.map(({ id }) => id)).size).toBe(orders.length)
    expect(book.marks.length).toBe(fills)
    expect(book.trades.length).toBe(count(dice, 'trade'))
  })

  it('tells whoever follows of each change, in order, and takes no line twice', () => {
    const book = new RunBook()
    const changes: Change[] = []
    const end = book.onChange((change) => { changes.push(change) })
    const lines = trailOf(dice)
    for (const line of [...lines, ...lines]) book.see(line)
    const told = (kind: Change['kind']): number => changes.filter((change) => change.kind === kind).length
    expect(told('decision')).toBe(count(dice, 'decision'))
    expect(told('trade')).toBe(count(dice, 'trade'))
    expect(told('candles')).toBe(lines.filter(({ type, event }) => type === 'market' && event === 'candles').length)
    expect(told('risk')).toBe(1)
    end()
    const before = changes.length
    book.see({ ...lines[2], seq: book.seq + 1 })
    expect(changes).toHaveLength(before)
  })

  it('keeps bounded lists of an endless run', () => {
    const book = bookOf(dice)
    const decision = trailOf(dice).find(({ type }) => type === 'decision')!
    const market = trailOf(dice).findLast(({ type, event }) => type === 'market' && event === 'candles')!
    const trade = trailOf(dice).find(({ type }) => type === 'trade')!
    const before = book.decisionCount
    for (let index = 0; index < 12_000; index++) {
      const time = new Date(Date.UTC(2024, 1, 1) + index * 3_600_000).toISOString()
      for (const line of [market, decision, trade, { ...market, type: 'alarm', event: 'naked', rows: 1 }]) {
        book.see({ ...line, seq: book.seq + 1, timestamp: time, ...(line === market ? { rows: [[Date.parse(time), 1, 2, 1, 2, 1]] } : {}) })
      }
    }
    expect(book.decisionCount).toBe(before + 12_000)
    expect([book.decisions.length, book.trades.length, book.alarms.length]).toEqual([KEPT.decisions, KEPT.trades, KEPT.alarms])
    expect(book.candles('BTC/USDT')!.length).toBe(KEPT.candles)
    expect(book.equityPoints.points.length).toBeLessThanOrEqual(2_000)
    expect(book.equityPoints.points.length).toBeGreaterThan(500)
    const times = book.equityPoints.points.map(([time]) => time)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  it('reads a backtest, whose trail tells no candles and no account', async () => {
    const runDirectory = (await runScenario(ASKED, { out: temporaryFolder() })).directory!
    const book = new RunBook(10_000)
    for (const line of trailOf(runDirectory)) book.see(line)
    const { figures } = recordOf(runDirectory)
    expect(book.tradeCount).toBe(figures['trades'])
    expect(book.equity).toBeCloseTo(figures['finalEquity'], 6)
    expect(book.equityPoints.points.length).toBeGreaterThan(100)
  })
})
