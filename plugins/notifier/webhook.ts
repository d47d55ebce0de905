import { createHmac, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Notice, NoticeKind } from '../../engine/core/notice.ts'
import { isoTime } from '../../engine/core/time.ts'
import { definePlugin, type Deps, type Notifier } from '../../engine/ports.ts'
import { addressFrom, commonOptions, deliver, needed } from './delivery.ts'

const options = z.strictObject(commonOptions)
type Options = z.output<typeof options>

class Webhook implements Notifier {
  readonly #options: Options
  readonly #deps: Deps
  readonly #url: string
  readonly #secret: string

  constructor(parsed: Options, deps: Deps) {
    this.#options = parsed
    this.#deps = deps
    this.#url = addressFrom('webhook', 'WEBHOOK_URL', needed('webhook', 'WEBHOOK_URL', deps.env, /./, 'the address to post to'))
    this.#secret = needed('webhook', 'WEBHOOK_SECRET', deps.env, /^.{8,}$/, 'a secret of at least 8 characters to sign with')
  }

  wants(kind: NoticeKind): boolean {
    return this.#options.events.includes(kind)
  }

  async notify(notice: Notice, signal: AbortSignal): Promise<void> {
    const { timeoutMs, attempts } = this.#options
    const id = randomUUID()
    const sentAt = Math.floor(this.#deps.clock.now() / 1000)
    // Inside the body as well, so that the signature covers them.
    const body = JSON.stringify({ id, sentAt, ...notice, time: isoTime(notice.time) })
    const headers = {
      'X-Tapedeck-Id': id,
      'X-Tapedeck-Timestamp': String(sentAt),
      'X-Tapedeck-Signature': `sha256=${createHmac('sha256', this.#secret).update(body).digest('hex')}`,
    }
    await deliver(
      { who: 'webhook', url: this.#url, body, headers, secrets: [this.#secret], timeoutMs, attempts },
      this.#deps, signal,
    )
  }
}

/**
 * Posts each notice as JSON to `WEBHOOK_URL`: `{ id, sentAt, kind, time, run, symbol, text, facts }`, signed by
 * `X-Tapedeck-Signature: sha256=<HMAC-SHA256 of the body with WEBHOOK_SECRET, hex>`. Receivers refuse an old `sentAt` (epoch s)
 * and an `id` that they have seen: a message that is sent again keeps both. Throws TD_SETTING_INVALID.
 */
export default definePlugin({
  kind: 'notifier',
  name: 'webhook',
  description: 'Posts signed JSON to an address of your own.',
  options,
  env: ['WEBHOOK_URL', 'WEBHOOK_SECRET'],
  create: (parsed, deps) => new Webhook(parsed, deps),
})
