import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { halt, haltReason, leavePending, OperatorBox, request, resume } from '../../../engine/session/operator-box.ts'
import { coded } from '../../support/coded.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

const NOW = Date.UTC(2024, 0, 1)
let path: string
beforeEach(() => { path = temporaryFolder() })

const said = (box: OperatorBox): string[] => [...box.acts()].map(({ act, reason }) => `${act}: ${reason}`)

describe('a halt', () => {
  it('stands until somebody resumes, for every process', () => {
    expect(haltReason(path)).toBeNull()
    halt(path, 'panic', NOW)
    expect(haltReason(path)).toBe('panic')
    expect(new OperatorBox(path).haltReason()).toBe('panic')
    resume(path, 'lunch is over', NOW + 1)
    expect(haltReason(path)).toBeNull()
    expect(existsSync(join(path, 'HALTED.json'))).toBe(false)
  })

  it.each(['', '{"reason"', '[]', '{"time": 1}'])('stands where its file holds %j', (text) => {
    writeFileSync(join(path, 'HALTED.json'), text)
    expect(haltReason(path)).toContain('cannot be read')
    expect([...new OperatorBox(path).acts()]).toMatchObject([{ act: 'halt', symbol: null }])
  })

  it('stands where its file cannot be opened', () => {
    mkdirSync(join(path, 'HALTED.json'))
    expect(haltReason(path)).toContain('EISDIR')
  })

  it('is told once by each process', () => {
    const box = new OperatorBox(path)
    halt(path, 'panic', NOW)
    expect([...box.acts()]).toEqual([{ kind: 'operator', time: NOW, act: 'halt', symbol: null, reason: 'panic' }])
    expect([...box.acts()]).toEqual([])
    expect(said(new OperatorBox(path))).toEqual(['halt: panic'])
    halt(path, 'panic again', NOW + 1)
    expect(said(box)).toEqual(['halt: panic again'])
  })

  it('that is newer than a resumption comes after it, even if it says the same', () => {
    const box = new OperatorBox(path)
    halt(path, 'panic', NOW)
    expect(said(box)).toEqual(['halt: panic'])
    resume(path, 'lunch is over', NOW)
    halt(path, 'panic', NOW)
    expect(said(box)).toEqual(['resume: lunch is over', 'halt: panic'])
    resume(path, 'lunch is over', NOW)
    expect(said(box)).toEqual(['resume: lunch is over'])
  })
})

describe('requests', () => {
  it('to leave a symbol wait while it is busy, and hold nothing else up', () => {
    const box = new OperatorBox(path)
    request(path, 'leave', 'BTC/USDT', 'panic', NOW)
    request(path, 'close', 'ETH/USDT', 'asked', NOW + 1)
    expect([...leavePending(path)]).toEqual(['BTC/USDT'])
    expect([...box.acts((symbol) => symbol === 'BTC/USDT')]).toMatchObject([{ act: 'close', symbol: 'ETH/USDT' }])
    expect([...box.acts(() => false)]).toEqual([{ kind: 'operator', time: NOW, act: 'close', symbol: 'BTC/USDT', reason: 'panic' }])
    expect([...leavePending(path)]).toEqual([])
    expect([...box.acts()]).toEqual([])
  })

  it('come once, in the order of time and then of asking', () => {
    const box = new OperatorBox(path)
    request(path, 'close', 'ETH/USDT', 'later', NOW + 5)
    for (let number = 1; number <= 11; number++) request(path, 'close', 'BTC/USDT', `number ${number}`, NOW)
    resume(path, 'lunch is over', NOW - 1)
    const numbered = Array.from({ length: 11 }, (_, index) => `close: number ${index + 1}`)
    expect(said(box)).toEqual(['resume: lunch is over', ...numbered, 'close: later'])
    expect([...box.acts()]).toEqual([])
    expect(readdirSync(join(path, 'operator'))).toEqual([])
  })

  it('stay until what they asked for is done: a process that is killed finds them again', () => {
    request(path, 'close', 'BTC/USDT', 'enough', NOW)
    request(path, 'close', 'ETH/USDT', 'enough', NOW + 1)
    const acts = new OperatorBox(path).acts()
    expect(acts.next().value).toMatchObject({ symbol: 'BTC/USDT' })
    expect(said(new OperatorBox(path))).toEqual(['close: enough', 'close: enough'])
    request(path, 'close', 'BTC/USDT', 'again', NOW + 2)
    const box = new OperatorBox(path).acts()
    box.next()
    box.return()
    expect(readdirSync(join(path, 'operator'))).toEqual([])
  })

  it('say everything about an act', () => {
    request(path, 'close', 'BTC/USDT', 'enough', NOW)
    expect(JSON.parse(readFileSync(join(path, 'operator', `${NOW}-1.json`), 'utf8')))
      .toEqual({ time: NOW, at: '2024-01-01T00:00:00.000Z', act: 'close', symbol: 'BTC/USDT', reason: 'enough' })
    expect([...new OperatorBox(path).acts()])
      .toEqual([{ kind: 'operator', time: NOW, act: 'close', symbol: 'BTC/USDT', reason: 'enough' }])
  })

  it('that nobody can read are kept and in nobody’s way', () => {
    request(path, 'close', 'BTC/USDT', 'first', NOW)
    writeFileSync(join(path, 'operator', `${NOW - 1}-1.json`), '{"time":')
    writeFileSync(join(path, 'operator', 'notes.txt'), 'a person’s own')
    const box = new OperatorBox(path)
    expect(said(box)).toEqual(['close: first'])
    expect(said(box)).toEqual([])
    expect(readdirSync(join(path, 'operator')).sort()).toEqual([`${NOW - 1}-1.json.unreadable`, 'notes.txt'])
  })

  it('need a run to be told', () => {
    for (const where of [join(path, 'none'), join(path, 'none', 'deeper')]) {
      const refusal = coded('TD_RUN_WRITE', 'none')
      expect(() => { request(where, 'close', 'BTC/USDT', 'x', NOW) }).toThrow(refusal)
      expect(() => { halt(where, 'x', NOW) }).toThrow(refusal)
      expect(() => { resume(where, 'lunch is over', NOW) }).toThrow(refusal)
    }
    expect(readdirSync(path)).toEqual([])
  })
})
