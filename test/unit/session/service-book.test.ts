import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { charged, disabled, failed, NEW_SERVICE, succeeded } from '../../../engine/pipeline/provider-health.ts'
import { ServiceBook } from '../../../engine/session/service-book.ts'
import { coded } from '../../support/coded.ts'
import { otherProcess } from '../../support/other-process.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

const NOW = Date.UTC(2024, 5, 1, 12)
const USED = { latencyMs: 800, inputTokens: 300, outputTokens: 40, costUsd: 0.01 }

let out: string
beforeEach(() => { out = join(temporaryFolder(), 'runs') })

describe('ServiceBook', () => {
  it('writes nothing before there is something to remember', () => {
    const book = new ServiceBook(out)
    expect(book.read('gemini')).toEqual(NEW_SERVICE)
    expect(book.spentToday(NOW)).toBe(0)
    expect(book.names).toEqual([])
    expect(existsSync(out)).toBe(false)
  })

  it('keeps health over restarts, one service apart from the other', () => {
    const failure = { kind: 'rate-limit', message: 'slow down', retryAfterMs: 60_000, resetAtMs: null } as const
    const first = new ServiceBook(out)
    first.update('gemini', (health) => succeeded(health, NOW, USED))
    first.update('openai', (health) => failed(charged(health, NOW, { inputTokens: 5, outputTokens: 0, costUsd: 0.02 }), NOW, failure))
    const second = new ServiceBook(out)
    expect(second.read('gemini')).toMatchObject({ state: 'ACTIVE', successes: 1, latencies: [800], costUsd: 0.01, lastUsed: NOW })
    expect(second.read('openai')).toMatchObject({ state: 'COOLING', reason: 'slow down', until: NOW + 60_000, errors: { 'rate-limit': 1 } })
    expect(second.read('together')).toEqual(NEW_SERVICE)
    expect(second.names).toEqual(['gemini', 'openai'])
    expect(second.spentToday(NOW)).toBeCloseTo(0.03, 12)
    expect(second.spentToday(NOW + 86_400_000)).toBe(0)
    // No lock and no half-written file stays behind.
    expect(readdirSync(out)).toEqual(['providers.json'])
  })

  it('sees what another one changed', () => {
    const [one, other] = [new ServiceBook(out), new ServiceBook(out)]
    one.update('gemini', (health) => succeeded(health, NOW, USED))
    expect(other.read('gemini').state).toBe('ACTIVE')
    one.update('gemini', (health) => disabled(health, NOW, 'too dear'))
    expect(other.read('gemini')).toMatchObject({ state: 'DISABLED', reason: 'too dear', successes: 1 })
  })

  it('reads the file again only when it has changed', () => {
    const book = new ServiceBook(out)
    book.update('gemini', (health) => disabled(health, NOW, 'one'))
    const time = new Date(NOW)
    utimesSync(book.path, time, time)
    expect(book.read('gemini').reason).toBe('one')
    // Same size and time in the same file: nobody would change it so.
    writeFileSync(book.path, readFileSync(book.path, 'utf8').replace('"one"', '"two"'))
    utimesSync(book.path, time, time)
    expect(book.read('gemini').reason).toBe('one')
    utimesSync(book.path, time, new Date(NOW + 1000))
    expect(book.read('gemini').reason).toBe('two')
  })

  it('loses no update of processes that write at once', async () => {
    const start = Date.now() + 1000
    const code = (service: string): string => `
      const { ServiceBook } = await load('session/service-book.js')
      const { succeeded } = await load('pipeline/provider-health.js')
      const book = new ServiceBook(${JSON.stringify(out)})
      while (Date.now() < ${start});
      for (let index = 0; index < 40; index++) {
        book.update('shared', (health) => succeeded(health, ${NOW}, ${JSON.stringify(USED)}))
        book.update('${service}', (health) => succeeded(health, ${NOW}, ${JSON.stringify(USED)}))
      }
      say(book.read('${service}').successes)
    `
    expect(await Promise.all([otherProcess(code('one')).said, otherProcess(code('two')).said])).toEqual([40, 40])
    const book = new ServiceBook(out)
    expect(['shared', 'one', 'two'].map((name) => book.read(name).successes)).toEqual([80, 40, 40])
    expect(readdirSync(out)).toEqual(['providers.json'])
  })

  it.each([
    ['no JSON', '{"format": 1,', 'providers.json'],
    ['another format', '{"format": 2, "services": {}}', 'format'],
    ['an impossible state', JSON.stringify({ format: 1, services: { gemini: { ...NEW_SERVICE, state: 'SLEEPY' } } }), 'services.gemini.state'],
    ['an empty file', '', 'providers.json'],
  ])('names a file that is damaged: %s', (_, text, says) => {
    const book = new ServiceBook(out)
    book.update('gemini', (health) => health)
    writeFileSync(book.path, text)
    const damaged = (work: () => unknown): void => expect(work).toThrow(coded('TD_HEALTH_BROKEN', book.path, says === 'providers.json' ? '' : says))
    damaged(() => book.read('gemini'))
    damaged(() => book.update('gemini', (health) => health))
    expect(readFileSync(book.path, 'utf8')).toBe(text)
    expect(readdirSync(out)).toEqual(['providers.json'])
  })

  it('says where it cannot write', () => {
    writeFileSync(out, '')
    expect(() => new ServiceBook(out).update('gemini', (health) => health)).toThrow(coded('TD_RUN_WRITE', 'providers.json', '--out'))
  })
})
