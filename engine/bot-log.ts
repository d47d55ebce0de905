import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pino, { multistream, type Logger as Pino, type StreamEntry } from 'pino'
import pretty from 'pino-pretty'
import { isoDay, type EpochMs } from './core/time.ts'
import { messageOf } from './errors.ts'
import type { Logger } from './ports.ts'
import { plain } from './report/text.ts'

const DAY_MS = 86_400_000
/** Days that logs are kept. */
const KEPT_DAYS = 14
const NAME = /^bot_(\d{4}-\d{2}-\d{2})\.log$/

export interface BotLogOptions {
  readonly folder: string
  /** A person watches stderr: lines are shown there as well, in colour or without. */
  readonly shown: { readonly colour: boolean } | null
  readonly now: () => EpochMs
  /** Strikes out secrets. */
  readonly redact: (text: string) => string
}

/** The log of a bot: JSON lines in `bot_YYYY-MM-DD.log` of each UTC day, and for people on stderr. It never stops a run. */
export function openBotLog({ folder, shown, now, redact }: BotLogOptions): Logger {
  const streams: StreamEntry[] = [{ level: 'info', stream: new DailyFile(folder, now) }]
  if (shown !== null) {
    streams.push({ level: 'info', stream: pretty({ colorize: shown.colour, destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'UTC:HH:MM:ss' }) })
  }
  const log: Pino = pino({ base: null, timestamp: () => `,"time":"${new Date(now()).toISOString()}"` }, multistream(streams))
  // Reasons and texts of others are data: one printable line each.
  const said = (text: string): string => plain(redact(text)).slice(0, LONGEST)
  return {
    debug: (text) => { log.debug(said(text)) },
    info: (text) => { log.info(said(text)) },
    warn: (text) => { log.warn(said(text)) },
    error: (text) => { log.error(said(text)) },
  }
}

const LONGEST = 2_000

/** One file a day, older ones than are kept removed. What cannot be written is said once on stderr. */
class DailyFile {
  readonly #folder: string
  readonly #now: () => EpochMs
  #day = -1
  #lost = false

  constructor(folder: string, now: () => EpochMs) {
    this.#folder = folder
    this.#now = now
  }

  write(line: string): void {
    try {
      const day = Math.floor(this.#now() / DAY_MS)
      if (day !== this.#day) this.#turn(day)
      appendFileSync(join(this.#folder, `bot_${isoDay(day)}.log`), line)
      this.#lost = false
    } catch (error) {
      if (!this.#lost) process.stderr.write(`warning: the log cannot be written (${messageOf(error)})\n`)
      this.#lost = true
    }
  }

  #turn(day: number): void {
    mkdirSync(this.#folder, { recursive: true })
    this.#day = day
    const oldest = isoDay(day - KEPT_DAYS + 1)
    for (const name of readdirSync(this.#folder)) {
      const found = NAME.exec(name)
      if (found !== null && found[1] < oldest) rmSync(join(this.#folder, name), { force: true })
    }
  }
}
