import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { z } from 'zod'
import type { EpochMs } from '../../engine/core/time.ts'
import { messageOf, TapedeckError } from '../../engine/errors.ts'

const counts = z.array(z.number()).optional()

const line = z.discriminatedUnion('op', [
  /** Which exchange this is. */
  z.strictObject({ op: z.literal('open'), version: z.literal(1), startTime: z.number(), symbols: z.array(z.string()) }),
  /** Time moved; `targets` are the shares of the targets that were hit on the way. */
  z.strictObject({ op: z.literal('step'), to: z.number(), targets: z.array(z.number()).optional(), counts }),
  z.strictObject({
    op: z.literal('request'), time: z.number(), name: z.string(), params: z.record(z.string(), z.string()),
    /** What faults made of it. */
    liquidity: z.number().optional(), times: z.number().optional(), counts,
  }),
  z.strictObject({ op: z.literal('reset'), time: z.number() }),
])
export type JournalLine = z.output<typeof line>

export interface Identity {
  readonly startTime: EpochMs
  readonly symbols: readonly string[]
}

/** Everything that changed the exchange, one JSON line each, written before the client hears of it. */
export class Journal {
  readonly #file: number
  /** What an earlier exchange left behind. */
  readonly past: readonly JournalLine[]

  /** Opens or continues `path`; a torn last line is cut off. Throws `TD_TRAIL_BROKEN` for any other damage, or another exchange's file. */
  constructor(path: string, { startTime, symbols }: Identity) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole))
    const [first, ...past] = whole.split('\n').slice(0, -1).map((row, index) => parse(row, path, index + 1))
    this.past = past
    this.#file = openSync(path, 'a')
    if (first === undefined) this.append({ op: 'open', version: 1, startTime, symbols: [...symbols] })
    else if (first.op !== 'open' || first.startTime !== startTime || first.symbols.join() !== symbols.join()) {
      closeSync(this.#file)
      throw new TapedeckError(
        'TD_TRAIL_BROKEN',
        `${path} belongs to another practice exchange (start time or symbols differ): name another journal, or restart the exchange that wrote it.`,
      )
    }
  }

  append(entry: JournalLine): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`)
  }

  close(): void {
    closeSync(this.#file)
  }
}

function parse(text: string, path: string, row: number): JournalLine {
  try {
    return line.parse(JSON.parse(text))
  } catch (error) {
    throw new TapedeckError('TD_TRAIL_BROKEN', `${path}:${row} is no line of a practice exchange's journal: ${messageOf(error)}`, { cause: error })
  }
}
