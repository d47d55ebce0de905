import { describe, expect, it } from 'vitest'
import { courseOf, CourseWatch, sentText } from '../../../engine/session/course.ts'
import type { PastLine } from '../../../engine/ports.ts'

const line = (type: string, fields: object = {}, timestamp = '2024-01-01T00:00:00.000Z'): { readonly fields: PastLine } =>
  ({ fields: { type, timestamp, ...fields } })
const start = line('session', { event: 'start' })
const restarted = line('session', { event: 'restarted' })
const end = (event: string, signed: number, open: number): { readonly fields: PastLine } =>
  line('session', { event, requests: { signed, public: open } })

describe('the course of a run', () => {
  it('adds the requests of all its processes', () => {
    const { requests, restarts } = courseOf([start, end('stopped', 3, 10), restarted, end('finished', 4, 20)])
    expect({ requests, restarts }).toEqual({ requests: { signed: 7, public: 30, complete: true }, restarts: 1 })
    expect(sentText(7, requests)).toBe('7')
  })

  it('knows that a killed process did not say how many it had sent', () => {
    const { requests } = courseOf([start, restarted, end('finished', 1234, 20)])
    expect(requests).toEqual({ signed: 1234, public: 20, complete: false })
    expect(sentText(requests.signed, requests)).toBe('at least 1,234')
  })

  it('counts alarms by kind and names halts, not the answers to a wish', () => {
    const { alarms, halts } = courseOf([
      start, line('alarm', { event: 'b' }), line('alarm', { event: 'a' }), line('alarm', { event: 'c' }), line('alarm', { event: 'c' }),
      line('risk', { rule: 'max-drawdown', state: 'HALTED', equity: 1 }), line('risk', { rule: 'halted', state: 'HALTED', symbol: 'A/B' }),
      line('risk', { rule: 'daily-loss', state: 'REDUCING' }),
    ])
    expect(alarms).toEqual([['c', 2], ['a', 1], ['b', 1]])
    expect(halts).toEqual([{ time: Date.UTC(2024, 0, 1), rule: 'max-drawdown' }])
  })

  it('is told by the lines themselves, too', () => {
    const watch = new CourseWatch()
    for (const type of ['alarm', 'decision']) watch.see(`{"type": "${type}", "timestamp": null, "event": "x"}`)
    expect(watch.course.alarms).toEqual([['x', 1]])
  })
})
