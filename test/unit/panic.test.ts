import { describe, expect, it } from 'vitest'
import { withOwnSales } from '../../engine/panic.ts'
import type { PastLine } from '../../engine/ports.ts'

const line = (type: string, fields: object): PastLine => ({ type, timestamp: '2024-01-01T00:00:00.000Z', symbol: 'BTC/USDT', ...fields })
const entry = (id: string, symbol = 'BTC/USDT'): PastLine => line('intent', { symbol, order: { id, side: 'buy' } })
const fill = (id: string): PastLine => line('fill', { id })
const sale = (order: string, id: string, symbol = 'BTC/USDT'): PastLine => line('intent', { symbol, purpose: 'sale', order, id })

describe('what an earlier panic sold', () => {
  it('is known to the next one', () => {
    const past = [entry('0-1-entry'), fill('0-1-entry')]
    const own = [sale('0-1-entry-operator', 'k1'), sale('0-1-entry-operator-2', 'k2')]
    expect(withOwnSales(past, own)).toEqual([...past, ...own])
  })

  it('comes before the account that the run gives of it', () => {
    const past = [entry('0-1-entry'), fill('0-1-entry'), fill('0-1-entry-operator'), line('order', { id: 'later' })]
    const own = [sale('0-1-entry-operator', 'k1'), sale('0-1-entry-operator-2', 'k2')]
    expect(withOwnSales(past, own)).toEqual([past[0], past[1], own[0], own[1], past[2], past[3]])
  })

  it('says nothing of a later position, or of another symbol', () => {
    const past = [entry('0-1-entry'), fill('0-1-entry'), fill('0-1-entry-operator'), entry('0-2-entry'), entry('1-1-entry', 'ETH/USDT')]
    expect(withOwnSales(past, [sale('0-1-entry-operator', 'k1'), sale('1-9-entry-operator', 'k1', 'ETH/USDT')])).toEqual(past)
  })

  it('is told by intents alone', () => {
    const past = [entry('0-1-entry')]
    expect(withOwnSales(past, [fill('0-1-entry-operator'), line('alarm', { event: 'outcome-unknown' })])).toEqual(past)
  })
})
