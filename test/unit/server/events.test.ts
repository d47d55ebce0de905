import { beforeAll, describe, expect, it } from 'vitest'
import type { PastLine } from '../../../engine/ports.ts'
import * as shapes from '../../../engine/server/shapes.ts'
import { EventReader } from '../../support/event-reader.ts'
import { ask, serveTest, type Refused, type TestServer } from '../../support/http-server.ts'
import { trailOf } from '../../support/rehearsal.ts'
import { DICE, rehearsed } from '../../support/served-run.ts'

let lines: readonly PastLine[]
beforeAll(async () => { lines = trailOf(await rehearsed(DICE)) })

const readers: EventReader[] = []
async function follow(server: TestServer, last?: string): Promise<EventReader> {
  const reader = await EventReader.open(server.url, last === undefined ? {} : { 'last-event-id': last })
  readers.push(reader)
  return reader
}

/** An alarm, whose text makes it as large as wanted. */
function alarm({ book }: TestServer, text = ''): void {
  book.see({ type: 'alarm', seq: book.seq + 1, run: 'x', timestamp: '2024-01-01T00:00:00.000Z', event: 'said', text })
}

describe('the event stream', () => {
  it('tells every change in the shape of its GET', async () => {
    const server = await serveTest()
    const reader = await follow(server)
    expect(reader.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(reader.headers['content-security-policy']).toContain("default-src 'self'")
    // As many as a client may have waiting.
    const decided = lines.findIndex(({ type }) => type === 'trade') + 1
    for (const line of lines.slice(0, decided)) {
      server.book.see(line)
      if (line.type === 'decision') await reader.until((events) => events.at(-1)?.event === 'status')
    }
    await server.controls.toggle()
    await server.controls.service('openai', 'disable')
    alarm(server)
    const events = await reader.until((all) => all.at(-1)?.event === 'alarm')
    const of = (event: string): unknown[] => events.filter((one) => one.event === event).map(({ data }) => data)
    const told = (type: string): PastLine[] => lines.slice(0, decided).filter((line) => line.type === type)
    expect(of('decision').map((data) => (data as { id: number }).id)).toEqual(told('decision').map((line) => line['seq']))
    expect(of('trade')).toHaveLength(told('trade').length)
    const each = {
      status: shapes.statusShape, decision: shapes.decisionShape, trade: shapes.tradesShape.element, order: shapes.ordersShape.element,
      equity: shapes.equityShape.shape.points.element, candle: shapes.candlesShape, provider: shapes.providerShape, alarm: shapes.alarmsShape.element,
      run: shapes.runShape, lanes: shapes.lanesShape,
    }
    for (const [event, shape] of Object.entries(each)) {
      expect(of(event).length, event).toBeGreaterThan(0)
      for (const data of of(event)) expect(shape.safeParse(data).error, event).toBeUndefined()
    }
    expect(of('position').length).toBeGreaterThan(0)
    const numbers = events.map(({ id }) => Number(id.split('-')[1]))
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it('goes on where it broke off, and begins anew where nobody knows any more', async () => {
    const server = await serveTest()
    const first = await follow(server)
    for (let index = 0; index < 10; index++) alarm(server, String(index))
    const seen = await first.until((events) => events.length === 10)
    first.close()
    for (let index = 10; index < 15; index++) alarm(server, String(index))
    const again = await follow(server, seen[7].id)
    const missed = await again.until((events) => events.length === 7)
    expect(missed.map(({ data }) => (data as { text: string }).text)).toEqual([8, 9, 10, 11, 12, 13, 14].map((at) => `said; text: ${at}`))
    for (const unknown of ['other-3', `${seen[0].id.split('-')[0]}-999999`, 'x', '-1']) {
      const anew = await follow(server, unknown)
      expect((await anew.until((events) => events.length > 0))[0].event, unknown).toBe('reset')
    }
    for (let index = 0; index < 2_000; index++) alarm(server)
    const late = await follow(server, seen[7].id)
    const [reset] = await late.until((events) => events.length > 0)
    expect(reset).toMatchObject({ event: 'reset', data: {} })
    alarm(server, 'after')
    const after = await late.until((events) => events.length > 1)
    expect((after[1].data as { text: string }).text).toBe('said; text: after')
  })

  it('does not wait for a client that reads nothing, nor keep much for it', async () => {
    const server = await serveTest()
    const reads = await follow(server)
    const deaf = await follow(server)
    deaf.pause()
    const large = 'x'.repeat(10_000)
    for (let round = 0; round < 60; round++) {
      for (let index = 0; index < 100; index++) alarm(server, `${round}-${index} ${large}`)
      const last = `said; text: ${round}-99 ${large}`
      await reads.until((events) => (events.at(-1)?.data as { text?: string } | undefined)?.text === last)
      reads.events.splice(0, reads.events.length - 1)
    }
    // 60 MB went by; it was told once to begin anew, and then no more until it reads.
    expect((await ask(server.url, '/metrics')).text).toContain('tapedeck_event_resets 1\n')
    deaf.resume()
    await deaf.until((events) => events.some(({ event }) => event === 'reset'))
    alarm(server, 'heard')
    const heard = await deaf.until((events) => (events.at(-1)?.data as { text?: string }).text === 'said; text: heard')
    expect(heard.length).toBeLessThan(2_000)
    expect(heard.findLastIndex(({ event }) => event === 'reset')).toBeGreaterThan(0)
  })

  it('keeps a quiet stream alive', async () => {
    const server = await serveTest({ heartbeatMs: 20 })
    const reader = await follow(server)
    while (reader.comments < 4) await new Promise((resolve) => { setTimeout(resolve, 5) })
    expect(reader.events).toEqual([])
  })

  it('takes 200 clients and no more, and forgets those that leave', async () => {
    const server = await serveTest()
    const clients = await Promise.all(Array.from({ length: 200 }, () => follow(server)))
    const full = await ask(server.url, '/api/events')
    expect([full.status, (full.json as Refused).error.code, full.headers['retry-after']]).toEqual([503, 'TD_HTTP_BUSY', '30'])
    alarm(server)
    await Promise.all(clients.map((client) => client.until((events) => events.length === 1)))
    for (const client of clients.splice(0, 100)) client.close()
    while (!(await ask(server.url, '/metrics')).text.includes('tapedeck_event_clients 100\n')) continue
    const another = await follow(server)
    alarm(server)
    await another.until((events) => events.length === 1)
  })

  it('ends with the server, whose port is free then', async () => {
    const server = await serveTest()
    const reader = await follow(server)
    await Promise.all([reader.untilEnd(), server.close()])
    const next = await serveTest({ port: Number(new URL(server.url).port) })
    expect((await ask(next.url, '/healthz')).status).toBe(200)
  })
})
