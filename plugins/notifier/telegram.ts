import { z } from 'zod'
import type { Notice, NoticeKind } from '../../engine/core/notice.ts'
import { definePlugin, type CommandHandler, type Deps, type Notifier } from '../../engine/ports.ts'
import { addressFrom, commonOptions, deliver, needed, type Answer } from './delivery.ts'
import { Listener } from './telegram/listener.ts'

const options = z.strictObject({
  ...commonOptions,
  commands: z.boolean().default(true).describe('hear /status, /stop, /resume and /close from the same chat'),
})
type Options = z.output<typeof options>

/** What Telegram takes in one message, in UTF-16 units. */
const LONGEST = 4096

/** The beginning of a text that is too long, never half a character. */
export function cut(text: string): string {
  if (text.length <= LONGEST) return text
  return `${text.slice(0, LONGEST - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

const failed = z.object({ description: z.string().optional(), parameters: z.object({ retry_after: z.number().nonnegative().optional() }).optional() })

function failureIn({ body }: Answer): z.output<typeof failed> | null {
  try {
    return failed.safeParse(JSON.parse(body)).data ?? null
  } catch {
    return null
  }
}

class Telegram implements Notifier {
  readonly listen?: (handle: CommandHandler, signal: AbortSignal) => Promise<void>
  readonly #options: Options
  readonly #deps: Deps
  readonly #base: string
  readonly #token: string
  readonly #chat: string

  constructor(parsed: Options, deps: Deps) {
    const { env } = deps
    this.#options = parsed
    this.#deps = deps
    this.#token = needed('telegram', 'TELEGRAM_BOT_TOKEN', env, /^\d+:[\w-]+$/, 'the token that BotFather gave, such as 123456:ABC-DEF')
    this.#chat = needed('telegram', 'TELEGRAM_CHAT_ID', env, /^-?\d+$/, 'the number of the chat')
    this.#base = addressFrom('telegram', 'TELEGRAM_BASE_URL', env['TELEGRAM_BASE_URL'] || 'https://api.telegram.org').replace(/\/$/, '')
    if (parsed.commands) {
      this.listen = (handle, signal) => new Listener({
        chat: this.#chat, clock: deps.clock, random: () => deps.random(), log: deps.log,
        call: (method, body, waitMs) => this.#call(method, body, 1, parsed.timeoutMs + waitMs, signal),
        reply: (text) => this.#send(text, signal),
        hide: (text) => text.replaceAll(this.#token, '[redacted]'),
      }).run(handle, signal)
    }
  }

  wants(kind: NoticeKind): boolean {
    return this.#options.events.includes(kind)
  }

  async notify({ run, text }: Notice, signal: AbortSignal): Promise<void> {
    await this.#send(`${run}\n${text}`, signal)
  }

  async #send(text: string, signal: AbortSignal): Promise<void> {
    const { attempts, timeoutMs } = this.#options
    // No parse mode: whatever an AI wrote stays plain text.
    const body = { chat_id: this.#chat, text: cut(text.replaceAll(this.#token, '[redacted]')), link_preview_options: { is_disabled: true } }
    await this.#call('sendMessage', body, attempts, timeoutMs, signal)
  }

  async #call(method: string, body: object, attempts: number, timeoutMs: number, signal: AbortSignal): Promise<unknown> {
    const answer = await deliver({
      who: 'telegram', url: `${this.#base}/bot${this.#token}/${method}`, body: JSON.stringify(body), secrets: [this.#token], timeoutMs, attempts,
      pause: (one) => {
        const seconds = failureIn(one)?.parameters?.retry_after
        return seconds === undefined ? null : seconds * 1000
      },
      reason: (one) => failureIn(one)?.description ?? null,
    }, this.#deps, signal)
    return JSON.parse(answer.body) as unknown
  }
}

/**
 * Writes each notice into one Telegram chat as plain text, and hears commands from that chat alone. `TELEGRAM_BASE_URL` names
 * another server that speaks the Bot API. Throws TD_SETTING_INVALID.
 */
export default definePlugin({
  kind: 'notifier',
  name: 'telegram',
  description: 'Writes into a Telegram chat and hears /status, /stop, /resume and /close there.',
  options,
  env: ['TELEGRAM_BOT_TOKEN', 'TELEGRAM_CHAT_ID', 'TELEGRAM_BASE_URL'],
  create: (parsed, deps) => new Telegram(parsed, deps),
})
