import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventParser } from '../../../../engine/server/dashboard/data/sse.ts'

const STREAM = ': beat\n\nretry: 2000\n\nid: a-1\nevent: decision\ndata: {"id":1}\n\nid: a-2\r\nevent:equity\r\ndata:[1,\r\ndata: 2]\r\n\r\nid: a-3\revent: risk\rdata: {}\r\r'
const EVENTS = [
  { id: 'a-1', name: 'decision', data: '{"id":1}' },
  { id: 'a-2', name: 'equity', data: '[1,\n2]' },
  { id: 'a-3', name: 'risk', data: '{}' },
]

describe('event parser', () => {
  it('finds the same events however the stream is cut', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: STREAM.length })), (cuts) => {
      const parser = new EventParser()
      const edges = [0, ...cuts.sort((a, b) => a - b), STREAM.length]
      const found = edges.slice(1).flatMap((to, index) => parser.take(STREAM.slice(edges[index], to)))
      // Only what follows tells whether the last character is half of a line's end.
      expect([...found, ...parser.take(':\n')]).toEqual(EVENTS)
    }))
  })

  it('drops an event that is too long, and goes on', () => {
    const parser = new EventParser()
    const piece = 'x'.repeat(1_000_000)
    expect(parser.take('event: decision\n')).toEqual([])
    for (let count = 0; count < 5; count++) expect(parser.take(`data: ${piece}\n`)).toEqual([])
    expect(parser.take('\ndata: 1\n\n')).toEqual([{ id: null, name: 'message', data: '1' }])
  })
})
