import { describe, expect, it } from 'vitest'
import type { Notice, NoticeKind } from '../../../engine/core/notice.ts'
import type { CommandHandler, Notifier } from '../../../engine/ports.ts'
import { RealClock } from '../../../engine/real-clock.ts'
import { Announcer, type Told } from '../../../engine/session/announcer.ts'

const notice = (number: number, kind: NoticeKind = 'exit'): Notice =>
  ({ kind, time: number, run: 'r', symbol: null, text: `notice ${number}`, facts: { number } })

class Ear implements Notifier {
  readonly heard: string[] = []
  handle: CommandHandler | null = null
  stopped = false
  readonly #notify: (count: number, signal: AbortSignal) => Promise<void>
  readonly #kinds: readonly NoticeKind[] | null
  #count = 0

  constructor(notify: (count: number, signal: AbortSignal) => Promise<void> = async () => {}, kinds: readonly NoticeKind[] | null = null) {
    this.#notify = notify
    this.#kinds = kinds
  }

  wants(kind: NoticeKind): boolean { return this.#kinds?.includes(kind) ?? true }

  async notify({ text }: Notice, signal: AbortSignal): Promise<void> {
    await this.#notify(++this.#count, signal)
    this.heard.push(text)
  }

  async listen(handle: CommandHandler, signal: AbortSignal): Promise<void> {
    this.handle = handle
    await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve() }, { once: true }) })
    this.stopped = true
  }
}

const hangs = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true }) })

function announcer(ears: Readonly<Record<string, Notifier>>, capacity?: number): { announcer: Announcer; warnings: string[] } {
  const warnings: string[] = []
  const told: Told[] = Object.entries(ears).map(([name, notifier]) => ({ name, notifier }))
  return {
    warnings,
    announcer: new Announcer(told, {
      run: 'r', clock: new RealClock(), redact: (text) => text.replaceAll('hunter2', '[redacted]'), ...(capacity === undefined ? {} : { capacity }),
      log: { debug: () => {}, info: () => {}, error: () => {}, warn: (text) => warnings.push(text) },
    }),
  }
}

describe('an announcer', () => {
  it('takes everything at once and delivers it in order, to those who want it', async () => {
    const [all, some] = [new Ear(), new Ear(undefined, ['halt'])]
    const { announcer: one, warnings } = announcer({ all, some })
    for (const number of [1, 2, 3]) one.announce(notice(number, number === 2 ? 'halt' : 'exit'))
    expect(all.heard).toEqual([])
    await one.close()
    expect(all.heard).toEqual(['notice 1', 'notice 2', 'notice 3'])
    expect(some.heard).toEqual(['notice 2'])
    expect(one.delivered).toEqual({ all: { sent: 3, failed: 0, dropped: 0 }, some: { sent: 1, failed: 0, dropped: 0 } })
    expect(warnings).toEqual([])
  })

  it('lets nobody wait for somebody slow, and gives up in time', async () => {
    const [slow, quick] = [new Ear((_, signal) => hangs(signal)), new Ear()]
    const { announcer: one, warnings } = announcer({ slow, quick })
    for (const number of [1, 2, 3]) one.announce(notice(number))
    await new Promise((resolve) => { setImmediate(resolve) })
    expect(quick.heard).toHaveLength(3)
    await one.close(10)
    expect(one.delivered['slow']).toEqual({ sent: 0, failed: 0, dropped: 3 })
    expect(warnings).toEqual(['notifier slow: 3 messages were not delivered in time'])
    one.announce(notice(4))
    one.see({ type: 'session', timestamp: null, event: 'restarted' })
    await one.close()
    expect(quick.heard).toHaveLength(3)
  })

  it('drops the oldest where too many wait, and says how many', async () => {
    let release = (): void => {}
    const first = new Promise<void>((resolve) => { release = resolve })
    const ear = new Ear((count) => (count === 1 ? first : Promise.resolve()))
    const { announcer: one } = announcer({ ear }, 2)
    one.announce(notice(0))
    await new Promise((resolve) => { setImmediate(resolve) })
    for (const number of [1, 2, 3, 4, 5]) one.announce(notice(number))
    release()
    await one.close()
    expect(ear.heard).toEqual(['notice 0', 'notice 4\n(3 earlier messages could not be delivered)', 'notice 5'])
    expect(one.delivered['ear']).toEqual({ sent: 3, failed: 0, dropped: 3 })
  })

  it('goes on after failures, warns once, and takes secrets out of everything', async () => {
    const ear = new Ear((count) => (count < 3 ? Promise.reject(new Error('no, hunter2')) : Promise.resolve()))
    const { announcer: one, warnings } = announcer({ ear })
    for (const number of [1, 2, 3]) one.announce({ ...notice(number), text: `${number} hunter2` })
    await one.close()
    expect(warnings).toEqual(['notifier ear: no, [redacted]'])
    expect(ear.heard).toEqual(['3 [redacted]\n(2 earlier messages could not be delivered)'])
    expect(one.delivered['ear']).toEqual({ sent: 1, failed: 2, dropped: 0 })
  })

  it('tells of lines, and sums up a day that began in another process', async () => {
    const ear = new Ear()
    const { announcer: one } = announcer({ ear })
    const trade = { type: 'trade', timestamp: '2025-03-01T10:00:00.000Z', symbol: 'A/B', reason: 'stop', exitPrice: 1, pnl: 2, netReturn: 0.01 }
    one.remember(trade)
    one.see({ ...trade, timestamp: '2025-03-01T12:00:00.000Z' })
    one.see({ type: 'market', event: 'wake', timestamp: '2025-03-02T00:01:00.000Z' })
    await one.close()
    expect(ear.heard).toEqual(['sold A/B at 1 by stop: +2 (+1 %)', expect.stringContaining('2025-03-01: 0 decisions, 0 entries, 2 trades')])
  })

  it('lets commands be heard until it is closed', async () => {
    const ear = new Ear()
    const { announcer: one } = announcer({ ear })
    one.listen(({ act }) => `did ${act} with hunter2`)
    expect(await ear.handle?.({ act: 'status', symbol: null })).toBe('did status with [redacted]')
    one.listen(() => { throw new Error('upstream: hunter2 is wrong') })
    await expect(ear.handle?.({ act: 'stop', symbol: null })).rejects.toThrow('upstream: [redacted] is wrong')
    expect(ear.stopped).toBe(false)
    await one.close()
    expect(ear.stopped).toBe(true)
  })
})
