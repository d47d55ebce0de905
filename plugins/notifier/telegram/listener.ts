import { z } from 'zod'
import { COMMANDS, type RemoteCommand } from '../../../engine/core/notice.ts'
import { messageOf } from '../../../engine/errors.ts'
import type { Clock, CommandHandler, Logger } from '../../../engine/ports.ts'
import { DeliveryFailure } from '../delivery.ts'

/** How long a request for news stays open, in s. */
const POLL_S = 25
/** Between an answer without news and the next question, in ms: some answer at once. */
const REST_MS = 1000
const BACKOFF_MS = { first: 1000, most: 60_000 }

const updates = z.object({
  ok: z.literal(true),
  result: z.array(z.looseObject({
    update_id: z.int().nonnegative(),
    message: z.looseObject({ chat: z.looseObject({ id: z.int() }), text: z.string().optional() }).optional(),
  })),
})
type Update = z.output<typeof updates>['result'][number]

export interface ListenerParts {
  /** The only chat that is heard. */
  readonly chat: string
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  /** One call, which the other side may keep open for `waitMs`. */
  readonly call: (method: string, body: object, waitMs: number) => Promise<unknown>
  readonly reply: (text: string) => Promise<void>
  readonly hide: (text: string) => string
}

const HELP = 'Commands: /status, /stop (no more orders, protection stays), /resume, /close BTC/USDT'
const COMMAND = new RegExp(`^/(${COMMANDS.join('|')})(?:@\\w+)?(?:\\s+(\\S+))?\\s*$`, 'i')

/** What a message asks for; null when it is none of the commands as they have to be written. */
export function commandIn(text: string): RemoteCommand | null {
  const [, name, argument] = COMMAND.exec(text.trim()) ?? []
  const act = COMMANDS.find((one) => one === name?.toLowerCase())
  if (act === undefined || (act === 'close') !== (argument !== undefined)) return null
  return { act, symbol: argument?.toUpperCase() ?? null }
}

/** Hears one chat. A command is carried out once, and what was said before it began to listen never. */
export class Listener {
  readonly #parts: ListenerParts
  /** The next update; null until what is old has been passed over. */
  #offset: number | null = null
  #ignored = 0

  constructor(parts: ListenerParts) {
    this.#parts = parts
  }

  /** Until `signal` aborts. Never rejects. */
  async run(handle: CommandHandler, signal: AbortSignal): Promise<void> {
    const { clock, log, hide, random } = this.#parts
    for (let failures = 0; !signal.aborted;) {
      try {
        const heard = this.#offset === null ? await this.#passOver() : await this.#next()
        if (failures > 0) log.info('telegram: commands are heard again')
        failures = 0
        for (const update of heard) {
          if (signal.aborted) return
          // First the offset: a command that fails, or ends the process, must not come again.
          this.#offset = update.update_id + 1
          await this.#hear(update, handle)
        }
        if (heard.length === 0) await clock.sleep(REST_MS, signal)
      } catch (error) {
        if (signal.aborted) return
        const failure = error instanceof DeliveryFailure ? error : null
        if (failures++ === 0) log.warn(`telegram: no command is heard: ${hide(messageOf(error))}`)
        if (failure?.status === 401 || failure?.status === 404) return
        const backoff = random() * Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(failures, 10))
        await clock.sleep(Math.max(failure?.retryAfterMs ?? 0, backoff, REST_MS), signal).catch(() => {})
      }
    }
  }

  /** The newest update says where to begin; asked for like this, Telegram forgets what came before it. */
  async #passOver(): Promise<readonly Update[]> {
    const old = await this.#updates({ offset: -1, limit: 1, timeout: 0 }, 0)
    this.#offset = (old.at(-1)?.update_id ?? -1) + 1
    return []
  }

  #next(): Promise<readonly Update[]> {
    return this.#updates({ offset: this.#offset, timeout: POLL_S }, POLL_S * 1000)
  }

  async #updates(body: object, waitMs: number): Promise<readonly Update[]> {
    const answer = updates.safeParse(await this.#parts.call('getUpdates', { ...body, allowed_updates: ['message'] }, waitMs))
    if (!answer.success) throw new Error('the answer to getUpdates cannot be used')
    // Whatever an answer repeats has been done.
    return answer.data.result.filter(({ update_id: id }) => this.#offset === null || id >= this.#offset)
      .sort((a, b) => a.update_id - b.update_id)
  }

  async #hear({ message }: Update, handle: CommandHandler): Promise<void> {
    if (message === undefined) return
    if (String(message.chat.id) !== this.#parts.chat) {
      this.#ignored++
      this.#parts.log.warn(`telegram: a message from another chat was ignored (${this.#ignored} so far)`)
      return
    }
    const text = message.text ?? ''
    if (!text.startsWith('/')) return
    const command = commandIn(text)
    let answer = HELP
    if (command !== null) {
      try {
        answer = await handle(command)
      } catch (error) {
        answer = `/${command.act} failed: ${messageOf(error)}`
      }
    }
    try {
      await this.#parts.reply(answer)
    } catch (error) {
      this.#parts.log.warn(`telegram: an answer was not delivered: ${this.#parts.hide(messageOf(error))}`)
    }
  }
}
