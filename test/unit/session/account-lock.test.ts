import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { lockAccount } from '../../../engine/session/account-lock.ts'
import { ProcessLock } from '../../../engine/session/process-lock.ts'
import { coded } from '../../support/coded.ts'
import { otherProcess, type OtherProcess } from '../../support/other-process.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
  vi.stubEnv('TMPDIR', folder)
})
afterEach(() => { vi.unstubAllEnvs() })

const KEY = 'key-material-0123456789abcdef'
const locks = (): string[] => readdirSync(join(folder, 'tapedeck-locks')).sort()

/** Another process that holds these symbols, or says why it does not. */
const holder = (symbols: readonly string[], key = KEY, venue = 'testnet'): OtherProcess => otherProcess(`
  const { lockAccount } = await load('session/account-lock.js')
  lockAccount(${JSON.stringify(venue)}, ${JSON.stringify(key)}, ${JSON.stringify(symbols)})
  say('locked')
`, { TMPDIR: folder })

describe('lockAccount', () => {
  it('refuses a symbol of an account that another process trades', async () => {
    const other = holder(['ETH/USDT', 'BTC/USDT'])
    expect(await other.said).toBe('locked')
    const before = locks()
    expect(() => lockAccount('testnet', KEY, ['ADA/USDT', 'ETH/USDT']))
      .toThrow(coded('TD_LOCKED', `ETH/USDT: process ${other.pid} `, 'testnet', 'stop'))
    // Nothing is held of what could have been had.
    expect(locks()).toEqual(before)
  })

  it('minds its own account, venue and symbols only', async () => {
    const other = holder(['BTC/USDT'])
    expect(await other.said).toBe('locked')
    lockAccount('testnet', KEY, ['ETH/USDT']).release()
    lockAccount('testnet', 'another', ['BTC/USDT']).release()
    lockAccount('demo', KEY, ['BTC/USDT']).release()
    expect(locks()).toHaveLength(1)
  })

  it('is free again at once when its process was killed', async () => {
    const other = holder(['BTC/USDT'])
    expect(await other.said).toBe('locked')
    await other.kill()
    expect(locks()).toHaveLength(1)
    const lock = lockAccount('testnet', KEY, ['BTC/USDT'])
    expect(locks()).toHaveLength(1)
    expect(await holder(['BTC/USDT']).said).toEqual(coded('TD_LOCKED', `process ${process.pid} `))
    lock.release()
    lock.release()
    expect(locks()).toEqual([])
  })

  it('shows nothing of the key', async () => {
    const lock = lockAccount('testnet', KEY, ['BTC/USDT'])
    expect(locks().join()).toMatch(/^testnet-[0-9a-f]{12}-BTCUSDT\.1\.pid$/)
    const { message } = await holder(['BTC/USDT']).said as { message: string }
    const shown = `${message} ${locks().join()}`
    for (let at = 0; at + 6 <= KEY.length; at++) expect(shown).not.toContain(KEY.slice(at, at + 6))
    lock.release()
  })

  it('says where it cannot be', () => {
    writeFileSync(join(folder, 'tapedeck-locks'), '')
    expect(() => lockAccount('testnet', KEY, ['BTC/USDT'])).toThrow(coded('TD_RUN_WRITE', 'tapedeck-locks', 'TMPDIR'))
  })
})

describe('ProcessLock', () => {
  it('goes to exactly one of many who find a dead process in it', async () => {
    const dead = otherProcess('say(0)')
    await dead.said
    await dead.kill()
    const base = join(folder, 'thing')
    writeFileSync(`${base}.3.pid`, `${dead.pid} 1\n`)
    const start = Date.now() + 1500
    const many = Array.from({ length: 6 }, () => otherProcess(`
      const { ProcessLock } = await load('session/process-lock.js')
      while (Date.now() < ${start});
      const lock = ProcessLock.take(${JSON.stringify(base)})
      say(typeof lock === 'number' ? lock : 'taken')
    `))
    const said = await Promise.all(many.map((one) => one.said))
    const winners = many.filter((_, index) => said[index] === 'taken')
    expect(winners).toHaveLength(1)
    expect(said.filter((one) => one !== 'taken')).toEqual(Array.from({ length: 5 }, () => winners[0].pid))
    expect(readdirSync(folder).filter((name) => name.startsWith('thing'))).toEqual(['thing.4.pid'])
  })

  it('is not kept by a living process that only has the dead one’s id', async () => {
    const other = otherProcess('say(0)')
    await other.said
    const base = join(folder, 'thing')
    writeFileSync(`${base}.1.pid`, `${other.pid}\n`)
    expect(ProcessLock.take(base)).toBe(other.pid)
    if (process.platform !== 'linux') return
    writeFileSync(`${base}.1.pid`, `${other.pid} 1\n`)
    expect(ProcessLock.take(base)).toBeInstanceOf(ProcessLock)
  })

  it('is taken from a dead process that had the own id', () => {
    const base = join(folder, 'thing')
    writeFileSync(`${base}.1.pid`, `${process.pid}\n`)
    const lock = ProcessLock.take(base)
    if (typeof lock === 'number') throw new Error('not taken')
    expect(ProcessLock.holder(base)).toBe(process.pid)
    lock.release()
    expect(ProcessLock.holder(base)).toBeNull()
  })

  it('is had once within a process as well, by whatever path, and only whoever has it frees it', () => {
    const first = ProcessLock.take(join(folder, 'thing'))
    expect(ProcessLock.take(join(folder, 'elsewhere', '..', 'thing'))).toBe(process.pid)
    if (typeof first === 'number') throw new Error('not taken')
    first.release()
    const second = ProcessLock.take(join(folder, 'thing'))
    first.release()
    expect([ProcessLock.holder(join(folder, 'thing')), ProcessLock.take(join(folder, 'thing'))]).toEqual([process.pid, process.pid])
    if (typeof second !== 'number') second.release()
    expect(ProcessLock.holder(join(folder, 'thing'))).toBeNull()
  })

  it.each(['', 'nobody', '-1', '0'])('is taken where its file says %j', (text) => {
    const base = join(folder, 'thing')
    writeFileSync(`${base}.1.pid`, text)
    expect(ProcessLock.take(base)).toBeInstanceOf(ProcessLock)
  })
})
