import { describe, expect, it, onTestFinished } from 'vitest'
import type { RemoteCommand } from '../../engine/core/notice.ts'
import type { CommandHandler } from '../../engine/ports.ts'
import { VirtualClock } from '../../engine/real-clock.ts'
import telegram, { cut } from '../../plugins/notifier/telegram.ts'
import { commandIn } from '../../plugins/notifier/telegram/listener.ts'
import { NOTICE } from '../contract/notifier-suite.ts'
import { until } from '../support/cli.ts'
import { Loopback, type Responder } from '../support/loopback.ts'
import { providerDeps } from '../support/provider-deps.ts'

const TOKEN = '123:secret-token'
const CHAT = -42

interface Update { readonly update_id: number; readonly message?: { readonly chat: { readonly id: number }; readonly text?: string } }
const said = (id: number, text: string, chat = CHAT): Update => ({ update_id: id, message: { chat: { id: chat }, text } })

/** A Bot API that keeps updates until they are confirmed, as Telegram does. */
class Bot {
  readonly sent: string[] = []
  readonly polls: { offset: number }[] = []
  readonly warnings: string[] = []
  readonly commands: RemoteCommand[] = []
  updates: Update[] = []
  handle: CommandHandler = () => 'done'
  /** Answers the next calls of getUpdates instead. */
  readonly trouble: Responder[] = []

  async open(options: object = {}): Promise<this> {
    const server = await Loopback.open((received, response, count) => {
      const body = JSON.parse(received.body) as { offset: number; text: string }
      if (received.path === `/bot${TOKEN}/sendMessage`) {
        this.sent.push(body.text)
        return void response.end('{"ok":true,"result":{}}')
      }
      this.polls.push(body)
      const trouble = this.trouble.shift()
      if (trouble !== undefined) return trouble(received, response, count)
      if (body.offset < 0) this.updates = this.updates.slice(body.offset)
      else this.updates = this.updates.filter(({ update_id: id }) => id >= body.offset)
      response.end(JSON.stringify({ ok: true, result: this.updates }))
    })
    const enough = new AbortController()
    const notifier = await telegram.create(telegram.options.parse(options), providerDeps({
      env: { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_CHAT_ID: String(CHAT), TELEGRAM_BASE_URL: server.origin },
      clock: new VirtualClock(0), log: { debug: () => {}, info: () => {}, error: () => {}, warn: (text) => this.warnings.push(text) },
    }), undefined)
    const listening = notifier.listen?.((command) => {
      this.commands.push(command)
      return this.handle(command)
    }, enough.signal)
    onTestFinished(async () => {
      enough.abort()
      await server.close()
      await listening
    })
    return this
  }

  /** Has heard everything: two polls more, without news. */
  async quiet(): Promise<void> {
    const polls = this.polls.length
    await until(() => this.polls.length > polls + 2, 'it goes on polling')
  }
}

describe('what a command is', () => {
  it.each<[string, RemoteCommand | null]>([
    ['/status', { act: 'status', symbol: null }],
    [' /STOP ', { act: 'stop', symbol: null }],
    ['/resume@my_bot', { act: 'resume', symbol: null }],
    ['/close btc/usdt', { act: 'close', symbol: 'BTC/USDT' }],
    ['/close', null], ['/stop now', null], ['/stopp', null], ['stop', null], ['/close BTC/USDT ETH/USDT', null], ['please /stop', null], ['', null],
  ])('%j', (text, command) => {
    expect(commandIn(text)).toEqual(command)
  })
})

describe('telegram hears', () => {
  it('commands of its chat, each once, and answers there', async () => {
    const bot = await new Bot().open()
    await until(() => bot.polls.length > 1, 'it listens')
    bot.handle = ({ act }) => `did ${act}`
    bot.updates.push(said(7, '/status'), said(8, 'hello'), said(9, '/close BTC/USDT'))
    await until(() => bot.sent.length === 2, 'both are answered')
    await bot.quiet()
    expect(bot.commands).toEqual([{ act: 'status', symbol: null }, { act: 'close', symbol: 'BTC/USDT' }])
    expect(bot.sent).toEqual(['did status', 'did close'])
    expect(bot.polls.at(-1)?.offset).toBe(10)
  })

  it('nobody else, and counts them', async () => {
    const bot = await new Bot().open()
    await until(() => bot.polls.length > 1, 'it listens')
    bot.updates.push(said(1, '/stop', 666), said(2, '/close BTC/USDT', 42), { update_id: 3 })
    await bot.quiet()
    expect(bot.commands).toEqual([])
    expect(bot.sent).toEqual([])
    expect(bot.warnings.at(-1)).toContain('(2 so far)')
  })

  it('nothing that was said before it began to listen', async () => {
    const bot = new Bot()
    bot.updates.push(said(1, '/stop'), said(2, '/close BTC/USDT'))
    await bot.open()
    await bot.quiet()
    expect(bot.commands).toEqual([])
    bot.updates.push(said(3, '/status'))
    await until(() => bot.commands.length === 1, 'the new one is heard')
    expect(bot.commands[0].act).toBe('status')
  })

  it('a command whose handler fails once only, and tells why without the token', async () => {
    const bot = await new Bot().open()
    await until(() => bot.polls.length > 1, 'it listens')
    bot.handle = () => Promise.reject(new Error(`no run, ${TOKEN}`))
    bot.updates.push(said(5, '/resume'), said(6, '/what'))
    await until(() => bot.sent.length === 2, 'both are answered')
    await bot.quiet()
    expect(bot.commands).toHaveLength(1)
    expect(bot.sent[0]).toBe('/resume failed: no run, [redacted]')
    expect(bot.sent[1]).toMatch(/^Commands: /)
  })

  it('again after trouble of every kind, but for a token that is refused', async () => {
    const bot = new Bot()
    bot.updates.push(said(1, '/stop'))
    bot.trouble.push(
      (_, response) => void response.writeHead(502).end('<html>'),
      (_, response) => void response.end('<html>'),
      (_, response) => void response.end('{"ok":true,"result":[{"update_id":"x"}]}'),
      (_, response) => void response.writeHead(429).end('{"ok":false,"parameters":{"retry_after":7}}'),
      (_, response) => void response.writeHead(409).end('{"ok":false,"description":"Conflict: terminated by other getUpdates request"}'),
      (_, response) => void response.socket?.destroy(),
    )
    await bot.open()
    await bot.quiet()
    await until(() => bot.trouble.length === 0, 'the trouble is over')
    await bot.quiet()
    expect(bot.commands).toEqual([])
    bot.updates.push(said(2, '/status'))
    await until(() => bot.commands.length === 1, 'it is heard')
    expect(bot.warnings).toHaveLength(1)
    bot.trouble.push((_, response) => void response.writeHead(401).end('{"ok":false,"description":"Unauthorized"}'))
    await until(() => bot.warnings.length === 2, 'it says that it does not listen')
    expect(bot.warnings.join()).not.toContain(TOKEN)
    const polls = bot.polls.length
    bot.updates.push(said(3, '/stop'))
    await new Promise((resolve) => { setTimeout(resolve, 50) })
    expect(bot.polls).toHaveLength(polls)
  })

  it('nothing where commands are off', async () => {
    const bot = await new Bot().open({ commands: false })
    await new Promise((resolve) => { setTimeout(resolve, 20) })
    expect(bot.polls).toEqual([])
  })
})

describe('telegram writes', () => {
  it('plain text of a length that is taken, without its own token', async () => {
    const bodies: { text: string; parse_mode?: string; chat_id: string }[] = []
    const server = await Loopback.open(({ body }, response) => {
      bodies.push(JSON.parse(body) as typeof bodies[number])
      response.end('{"ok":true,"result":{}}')
    })
    onTestFinished(() => server.close())
    const notifier = await telegram.create(telegram.options.parse({}), providerDeps({
      env: { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_CHAT_ID: String(CHAT), TELEGRAM_BASE_URL: server.origin },
    }), undefined)
    await notifier.notify({ ...NOTICE, text: `<b>*bold*</b> ${TOKEN} ${'x'.repeat(5000)}` }, new AbortController().signal)
    expect(bodies[0]).toMatchObject({ chat_id: String(CHAT) })
    expect(bodies[0].parse_mode).toBeUndefined()
    expect(bodies[0].text).toHaveLength(4096)
    expect(bodies[0].text).toMatch(/^run-1\n<b>\*bold\*<\/b> \[redacted\] x+…$/)
  })

  it('cuts between characters', () => {
    expect(cut('😀'.repeat(2048))).toBe('😀'.repeat(2048))
    expect(cut('😀'.repeat(2049))).toBe(`${'😀'.repeat(2047)}…`)
    expect(cut(`x${'😀'.repeat(2048)}`)).toBe(`x${'😀'.repeat(2047)}…`)
  })
})
