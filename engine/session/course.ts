import type { EpochMs } from '../core/time.ts'
import type { PastLine } from '../ports.ts'

/** Requests to a venue, of all processes of a run. */
export interface Requests {
  readonly signed: number
  readonly public: number
  /** False: a process was killed before it could say how many it had sent, so there were at least so many. */
  readonly complete: boolean
}

/** What befell a run of the live path, all its processes together. */
export interface Course {
  readonly restarts: number
  /** Kinds with their counts, most frequent first. */
  readonly alarms: readonly (readonly [string, number])[]
  /** When trading was halted, and by which rule or reason. */
  readonly halts: readonly { readonly time: EpochMs; readonly rule: string }[]
  readonly requests: Requests
}

/** Lines that tell of it begin so; decisions and candles, which are many, need not be read. */
const TELLING = /^\{"type": "(?:alarm|risk|session)"/

/** Watches the trail's lines go by. */
export class CourseWatch {
  readonly #alarms = new Map<string, number>()
  readonly #halts: Course['halts'][number][] = []
  #starts = 0
  #ends = 0
  #restarts = 0
  #signed = 0
  #public = 0

  /** A line as the trail wrote it, without its newline. */
  see(text: string): void {
    if (TELLING.test(text)) this.count(JSON.parse(text) as PastLine)
  }

  count(fields: PastLine): void {
    const { type, event, timestamp } = fields
    if (type === 'alarm') this.#alarms.set(String(event), (this.#alarms.get(String(event)) ?? 0) + 1)
    // With a symbol it is the answer to one wish; the state stood before.
    if (type === 'risk' && fields['state'] === 'HALTED' && fields['symbol'] === undefined) {
      this.#halts.push({ time: Date.parse(String(timestamp)), rule: String(fields['rule']) })
    }
    if (type !== 'session') return
    if (event === 'start' || event === 'restarted') this.#starts++
    if (event === 'restarted') this.#restarts++
    if (event !== 'stopped' && event !== 'finished') return
    const sent = fields['requests'] as { readonly signed: number; readonly public: number }
    this.#ends++
    this.#signed += sent.signed
    this.#public += sent.public
  }

  get course(): Course {
    return {
      restarts: this.#restarts,
      alarms: [...this.#alarms].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1)),
      halts: [...this.#halts],
      requests: { signed: this.#signed, public: this.#public, complete: this.#starts === this.#ends },
    }
  }
}

/** The course that a recorded trail tells of. */
export function courseOf(lines: readonly { readonly fields: PastLine }[]): Course {
  const watch = new CourseWatch()
  for (const { fields } of lines) watch.count(fields)
  return watch.course
}

/** `1,234`, or `at least 1,234` where a killed process did not say. */
export const sentText = (sent: number, { complete }: Requests): string =>
  `${complete ? '' : 'at least '}${sent.toLocaleString('en')}`
