import { describe, expect, it } from 'vitest'
import { inPlace, inTime, newestFirst } from '../../../../engine/server/dashboard/data/lists.ts'

const same = (id: number) => (other: { readonly id: number }): boolean => other.id === id

describe('lists of the page', () => {
  it('put the newest first, replace what they have, and forget the oldest', () => {
    const list = [{ id: 3, v: 'c' }, { id: 2, v: 'b' }]
    expect(newestFirst(list, { id: 4, v: 'd' }, same(4), 2)).toEqual([{ id: 4, v: 'd' }, { id: 3, v: 'c' }])
    expect(newestFirst(list, { id: 2, v: 'x' }, same(2), 2)).toEqual([{ id: 3, v: 'c' }, { id: 2, v: 'x' }])
  })

  it('keep the order of what has an order of its own', () => {
    expect(inPlace([{ id: 1 }, { id: 2 }], { id: 1 }, same(1))).toEqual([{ id: 1 }, { id: 2 }])
    expect(inPlace([{ id: 1 }], { id: 2 }, same(2))).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('grow in time: the last may change, what is older is old news', () => {
    const candles = [[1, 10], [2, 20]] as const
    expect(inTime<readonly [number, number]>(candles, [[1, 99], [2, 21], [3, 30]], 10)).toEqual([[1, 10], [2, 21], [3, 30]])
    expect(inTime<readonly [number, number]>(candles, [[3, 30]], 2)).toEqual([[2, 20], [3, 30]])
  })
})
