import { describe, expect, it } from 'vitest'
import { parseWish } from '../../../engine/explain/wish.ts'

describe('what is to be explained', () => {
  it.each([
    ['95', { kind: 'seq', seq: 95 }],
    ['t3', { kind: 'trade', number: 3 }],
    ['#3', { kind: 'trade', number: 3 }],
    ['trade:12', { kind: 'trade', number: 12 }],
    ['2024-01-16T10:00', { kind: 'time', time: Date.UTC(2024, 0, 16, 10) }],
    ['2024-01-16 10:00:30', { kind: 'time', time: Date.UTC(2024, 0, 16, 10, 0, 30) }],
    ['2024-01-16T10:00:00.000Z', { kind: 'time', time: Date.UTC(2024, 0, 16, 10) }],
    ['0-1705399200-entry', { kind: 'order', id: '0-1705399200-entry' }],
  ])('reads %s', (text, wish) => { expect(parseWish(text)).toEqual(wish) })

  it.each(['', 'blah', 't0', '2024-13-01T00:00', '2024-02-30', '-5', '1.5'])('refuses %j', (text) => {
    expect(() => parseWish(text)).toThrow(expect.objectContaining({ code: 'TD_USAGE' }))
  })
})
