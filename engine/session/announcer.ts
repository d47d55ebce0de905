import type { Notice } from '../core/notice.ts'
import { messageOf } from '../errors.ts'
import type { Clock, CommandHandler, Logger, Notifier, PastLine } from '../ports.ts'
import { DaySummary, noticeOf } from './notices.ts'

export interface Told {
  readonly name: string
  readonly notifier: Notifier
}

export interface AnnouncerOptions {
  readonly run: string
  /** Of the network: waits are real ones. */
  readonly clock: Clock
  readonly log: Logger
  /** Takes secrets out of whatever is said. */
  readonly redact: (text: string) => string
  /** Notices that wait per notifier at most; default 100. */
  readonly capacity?: number
}

/** What became of one notifier's notices. */
export interface Delivered {
  readonly sent: number
  readonly failed: number
  /** Given up unsent, since too many waited or time was up. */
  readonly dropped: number
}

/**
 * Stands between a run and who is told of it: takes lines of the trail at once, and hands notices on in its own time. A
 * notifier that is slow or fails holds up neither the run nor the others.
 */
export class Announcer {
  readonly #options: AnnouncerOptions
  readonly #outboxes: readonly Outbox[]
  readonly #told: readonly Told[]
  readonly #summary: DaySummary
  readonly #hearing = new AbortController()
  readonly #listeners: Promise<void>[] = []
  #closed = false

  constructor(told: readonly Told[], options: AnnouncerOptions) {
    this.#options = options
    this.#told = told
    this.#outboxes = told.map((one) => new Outbox(one, options))
    this.#summary = new DaySummary(options.run)
  }

  /** A line of the trail that was just written. Never throws, never waits. */
  readonly see = (line: PastLine): void => {
    if (this.#closed) return
    const summary = this.#summary.see(line)
    if (summary !== null) this.announce(summary)
    const { run, clock } = this.#options
    const notice = noticeOf(line, { run, now: clock.now() })
    if (notice !== null) this.announce(notice)
  }

  /** A line from before this process: it counts for the day, but nobody is told. */
  remember(line: PastLine): void {
    this.#summary.see(line)
  }

  announce(notice: Notice): void {
    if (this.#closed) return
    const clean = this.#redacted(notice)
    for (const outbox of this.#outboxes) outbox.put(clean)
  }

  /** Hears commands wherever they can be given, until it is closed. */
  listen(handle: CommandHandler): void {
    const { redact } = this.#options
    const answered: CommandHandler = async (command) => {
      try {
        return redact(await handle(command))
      } catch (error) {
        // Whoever listens tells the chat why it failed.
        throw new Error(redact(messageOf(error)), { cause: error })
      }
    }
    for (const { name, notifier } of this.#told) {
      const listening = notifier.listen?.(answered, this.#hearing.signal)
      if (listening === undefined) continue
      this.#listeners.push(listening.catch((error: unknown) => {
        this.#options.log.warn(this.#options.redact(`notifier ${name}: no command is heard: ${messageOf(error)}`))
      }))
    }
  }

  /** By notifier. */
  get delivered(): Readonly<Record<string, Delivered>> {
    return Object.fromEntries(this.#outboxes.map(({ name, delivered }) => [name, delivered]))
  }

  /** Takes nothing more, gives what waits `deadlineMs` to be delivered, and says what was not. Never rejects. */
  async close(deadlineMs = 5000): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#hearing.abort()
    const enough = new AbortController()
    const emptied = Promise.all(this.#outboxes.map((outbox) => outbox.emptied())).then(() => { enough.abort() })
    await Promise.race([emptied, this.#options.clock.sleep(deadlineMs, enough.signal).catch(() => {})])
    enough.abort()
    for (const outbox of this.#outboxes) outbox.giveUp()
    await Promise.all(this.#listeners)
  }

  #redacted(notice: Notice): Notice {
    const { redact } = this.#options
    const facts = Object.entries(notice.facts).map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value] as const)
    return { ...notice, text: redact(notice.text), facts: Object.fromEntries(facts) }
  }
}

/** One notifier's notices, delivered one after the other. */
class Outbox {
  readonly name: string
  readonly #notifier: Notifier
  readonly #options: AnnouncerOptions
  readonly #waiting: Notice[] = []
  readonly #enough = new AbortController()
  #working: Promise<void> = Promise.resolve()
  #busy = false
  #counts = { sent: 0, failed: 0, dropped: 0 }
  /** Dropped since the last one that arrived. */
  #missed = 0
  #failing = false

  constructor({ name, notifier }: Told, options: AnnouncerOptions) {
    this.name = name
    this.#notifier = notifier
    this.#options = options
  }

  get delivered(): Delivered {
    return { ...this.#counts }
  }

  put(notice: Notice): void {
    if (!this.#notifier.wants(notice.kind)) return
    this.#waiting.push(notice)
    if (this.#waiting.length > (this.#options.capacity ?? 100)) {
      this.#waiting.shift()
      this.#counts.dropped++
      this.#missed++
    }
    if (this.#busy) return
    this.#busy = true
    this.#working = this.#work()
  }

  emptied(): Promise<void> {
    return this.#working
  }

  giveUp(): void {
    const left = this.#waiting.length + (this.#busy ? 1 : 0)
    if (left === 0) return
    this.#counts.dropped += left
    this.#waiting.length = 0
    this.#enough.abort()
    this.#warn(`${left} message${left === 1 ? ' was' : 's were'} not delivered in time`)
  }

  async #work(): Promise<void> {
    // The run goes on first: what the notifier does before it waits is not its business.
    await Promise.resolve()
    for (let notice = this.#waiting.shift(); notice !== undefined; notice = this.#waiting.shift()) {
      const missed = this.#missed
      try {
        await this.#notifier.notify(missed === 0 ? notice : after(missed, notice), this.#enough.signal)
        if (this.#enough.signal.aborted) return
        this.#counts.sent++
        this.#missed -= missed
        this.#failing = false
      } catch (error) {
        if (this.#enough.signal.aborted) return
        this.#counts.failed++
        this.#missed++
        if (!this.#failing) this.#warn(messageOf(error))
        this.#failing = true
      }
    }
    this.#busy = false
  }

  #warn(text: string): void {
    this.#options.log.warn(this.#options.redact(`notifier ${this.name}: ${text}`))
  }
}

const after = (missed: number, notice: Notice): Notice => ({
  ...notice,
  text: `${notice.text}\n(${missed} earlier message${missed === 1 ? '' : 's'} could not be delivered)`,
  facts: { ...notice.facts, undelivered: missed },
})
