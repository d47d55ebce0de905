import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toUnits } from '../../plugins/exchange/decimal.ts'
import type { FaultRule } from '../../plugins/exchange/faults.ts'
import { isOpen } from '../../plugins/exchange/orders.ts'
import { acts, coreOptions, PracticeCore } from '../support/practice-acts.ts'
import { advance, call, marketBuy, pair, practice, QUIET, scratchFolder, SYMBOL } from '../support/practice.ts'

const faults = { seed: 5, rules: [
  { fault: 'partial-fill', rate: 0.2 }, { fault: 'duplicate', rate: 0.2 }, { fault: 'expired', rate: 0.1 }, { fault: 'partial-leg', rate: 0.5 },
  { fault: 'slow', rate: 0.05, value: 61_000 }, { fault: 'lost-answer', rate: 0.1 },
] satisfies readonly FaultRule[] }

describe('money', () => {
  it('is conserved to the last decimal: trades explain every balance, open orders every lock', () => {
    let trades = 0
    fc.assert(fc.property(acts, fc.boolean(), (list, faulty) => {
      const exchange = new PracticeCore(coreOptions(faulty ? { faults } : {}))
      const { balances, ledger } = exchange.core.world
      const start = { BTC: toUnits(0.5), USDT: toUnits(10_000) }
      for (const act of list) {
        exchange.perform(act)
        const owned = { ...start }
        for (const { side, quantity, notional, fee, feeAsset } of ledger.copyTrades()) {
          owned.BTC += side === 'BUY' ? toUnits(quantity) : -toUnits(quantity)
          owned.USDT += side === 'BUY' ? -toUnits(notional) : toUnits(notional)
          owned[feeAsset as 'BTC' | 'USDT'] -= toUnits(fee)
        }
        for (const asset of ['BTC', 'USDT'] as const) {
          const { free, locked } = balances.of(asset)
          expect(toUnits(free) + toUnits(locked)).toBe(owned[asset])
          expect(free).toBeGreaterThanOrEqual(0)
          expect(locked).toBeGreaterThanOrEqual(0)
        }
        const open = [...ledger.of('BTC/USDT').open]
        // Both legs of a list sell the same coins.
        const selling = open.filter((order) => order.side === 'SELL' && order.list?.legs.find(isOpen) === (order.list === null ? undefined : order))
        const locks = selling.reduce((sum, { quantity, executedQuantity }) => sum + toUnits(quantity) - toUnits(executedQuantity), 0n)
        expect(toUnits(balances.of('BTC').locked)).toBe(locks)
        if (open.every(({ side }) => side === 'SELL')) expect(balances.of('USDT').locked).toBe(0)
      }
      trades += ledger.copyTrades().length
    }), { numRuns: 150 })
    expect(trades).toBeGreaterThan(500)
  })

  it('is explained by the fills of each order', () => {
    fc.assert(fc.property(acts, (list) => {
      const exchange = new PracticeCore(coreOptions({ faults }))
      list.forEach((act) => exchange.perform(act))
      const { ledger } = exchange.core.world
      for (const order of ledger.copyOrders()) {
        const fills = ledger.copyTrades().filter(({ orderId }) => orderId === order.orderId)
        const sum = (of: (fill: (typeof fills)[number]) => number): bigint => fills.reduce((total, fill) => total + toUnits(of(fill)), 0n)
        expect(sum(({ quantity }) => quantity)).toBe(toUnits(order.executedQuantity))
        expect(sum(({ notional }) => notional)).toBe(toUnits(order.executedNotional))
        expect(order.status === 'FILLED').toBe(order.executedQuantity === order.quantity)
      }
    }), { numRuns: 100 })
  })
})

describe('the journal', () => {
  it('restores the same exchange after anything, as often as it is asked', () => {
    const folder = scratchFolder()
    let run = 0
    fc.assert(fc.property(acts, fc.nat(), fc.boolean(), (list, cut, faulty) => {
      const journal = join(folder, `${run++}.jsonl`)
      const options = coreOptions({ journal, ...faulty ? { faults } : {} })
      const whole = new PracticeCore({ ...options, journal: join(folder, `${run++}.jsonl`) })
      let exchange = new PracticeCore(options)
      list.forEach((act, index) => {
        if (index === cut % list.length) {
          exchange.core.close()
          exchange = new PracticeCore(options)
        }
        for (const one of [exchange, whole]) one.perform(act)
        expect(exchange.state()).toEqual(whole.state())
      })
      exchange.core.close()
      whole.core.close()
      const restored = new PracticeCore(options)
      expect(restored.state()).toEqual(whole.state())
      restored.core.close()
    }), { numRuns: 60 })
  })

  const start = async (journal: string) => practice([...QUIET.slice(0, 3), [100, 111, 99, 110]], { journal })

  it('restores over the network: balances, ids, time, and the open pair that then fills', async () => {
    const journal = join(scratchFolder(), 'exchange.jsonl')
    const first = await start(journal)
    await marketBuy(first, 1000, { newClientOrderId: 'entry' })
    await advance(first)
    await pair(first, 9.99, 90, 110, { listClientOrderId: 'pair' })
    const before = [first.orders(), first.trades(), first.balance('BTC'), first.now()]
    await first.close()
    const second = await start(journal)
    expect([second.orders(), second.trades(), second.balance('BTC'), second.now()]).toEqual(before)
    while (!(await advance(second)).ended);
    expect(second.trades()).toMatchObject([{ tradeId: 1 }, { tradeId: 2, price: 110, orderId: 3 }])
    expect((await call(second, 'GET', '/orderList', { origClientOrderId: 'pair' })).json).toMatchObject({ listOrderStatus: 'ALL_DONE' })
  })

  it('is written before the client knows, without secrets', async () => {
    const journal = join(scratchFolder(), 'exchange.jsonl')
    const seen: string[] = []
    const exchange = await practice(QUIET, { journal, onRequest: ({ stage }) => seen.push(`${stage}: ${readFileSync(journal, 'utf8').split('\n').length - 1}`) })
    await marketBuy(exchange, 1000)
    expect(seen.slice(0, 2)).toEqual(['received: 1', 'executed: 2'])
    const [, line] = readFileSync(journal, 'utf8').trim().split('\n')
    expect(JSON.parse(line)).toEqual({
      op: 'request', time: exchange.now(), name: 'POST /order', params: { ...SYMBOL, side: 'BUY', type: 'MARKET', quoteOrderQty: '1000.00000000' },
    })
  })

  it('survives a torn last line, and goes on after it', async () => {
    const journal = join(scratchFolder(), 'exchange.jsonl')
    const first = await start(journal)
    await marketBuy(first, 1000)
    await first.close()
    appendFileSync(journal, '{"op":"step","to":17')
    const second = await start(journal)
    expect(second.trades()).toHaveLength(1)
    await advance(second)
    await second.close()
    const third = await start(journal)
    expect(third.now()).toBe(second.now())
  })

  it.each([
    ['a damaged line', 'nonsense\n', /exchange\.jsonl:2 is no line of a practice exchange's journal/],
    ['a line with a field too many', '{"op":"reset","time":1,"more":2}\n', /exchange\.jsonl:2 is no line/],
    ['a request that no longer exists', '{"op":"request","time":1,"name":"POST /luck","params":{}}\n', /POST \/luck/],
  ])('refuses %s', async (_case, line, message) => {
    const journal = join(scratchFolder(), 'exchange.jsonl')
    await (await start(journal)).close()
    appendFileSync(journal, line)
    await expect(start(journal)).rejects.toThrow(message)
    await expect(start(journal)).rejects.toMatchObject({ code: 'TD_TRAIL_BROKEN' })
  })

  it('of another exchange is refused and left alone', async () => {
    const journal = join(scratchFolder(), 'exchange.jsonl')
    const text = '{"op":"open","version":1,"startTime":1,"symbols":["ETH/USDT"]}\n'
    writeFileSync(journal, text)
    await expect(start(journal)).rejects.toThrow(/belongs to another practice exchange/)
    expect(readFileSync(journal, 'utf8')).toBe(text)
  })
})
