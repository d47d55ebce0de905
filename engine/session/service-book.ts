import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeDurably } from '../audit/durable-file.ts'
import { FAILURE_KINDS } from '../core/provider-failure.ts'
import type { EpochMs } from '../core/time.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { NEW_SERVICE, spentOn, type HealthBook, type ServiceHealth } from '../pipeline/provider-health.ts'
import { ProcessLock } from './process-lock.ts'

const count = z.int().min(0)
const amount = z.number().min(0)
const health = z.strictObject({
  state: z.enum(['ACTIVE', 'COOLING', 'DISABLED']), reason: z.string().nullable(), since: z.number().nullable(),
  until: z.number().nullable(), failures: count, setbacks: count, successes: count,
  errors: z.partialRecord(z.enum(FAILURE_KINDS), count), latencies: z.array(amount), inputTokens: amount, outputTokens: amount,
  costUsd: amount, day: z.string().nullable(), dayUsd: amount, lastUsed: z.number().nullable(),
})
const bookFile = z.strictObject({ format: z.literal(1), services: z.record(z.string(), health) })

type Services = Readonly<Record<string, ServiceHealth>>

/** Others hold the file for some milliseconds; one that was stopped in the middle may hold it for good. */
const PATIENCE_MS = 10_000
const LONGEST_PAUSE_MS = 8

/**
 * Health of services in `<out>/providers.json`, which all processes on this machine share and which outlives them. Throws
 * TD_HEALTH_BROKEN for a damaged file, TD_RUN_WRITE where it cannot be written, TD_LOCKED when another process keeps it.
 */
export class ServiceBook implements HealthBook {
  readonly path: string
  readonly #folder: string
  #services: Services = {}
  /** What the file looked like when it was read last; null = there was none. */
  #seen: string | null = null

  /** Touches nothing before the first question. */
  constructor(out: string) {
    this.#folder = out
    this.path = join(out, 'providers.json')
  }

  read(service: string): ServiceHealth {
    return healthIn(this.#current(), service)
  }

  /** Everybody of whom something is known. */
  get names(): readonly string[] {
    return Object.keys(this.#current())
  }

  spentToday(now: EpochMs): number {
    return Object.values(this.#current()).reduce((sum, one) => sum + spentOn(one, now), 0)
  }

  update(service: string, change: (health: ServiceHealth) => ServiceHealth): ServiceHealth {
    const lock = this.#lock()
    try {
      // Files that follow each other quickly may look alike.
      this.#seen = null
      const before = this.#current()
      const after = change(healthIn(before, service))
      const services = { ...before, [service]: after }
      this.#write(services)
      return after
    } finally {
      lock.release()
    }
  }

  #write(services: Services): void {
    try {
      writeDurably(this.path, `${JSON.stringify({ format: 1, services }, null, 2)}\n`)
    } catch (error) {
      throw this.#unwritable(error)
    }
  }

  #lock(): ProcessLock {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const lock = this.#tryLock()
      if (typeof lock !== 'number') return lock
      if (performance.now() > end) {
        throw new TapedeckError('TD_LOCKED', `${this.path}: process ${lock} keeps it; end that process if it hangs`)
      }
      // Of unequal length, because two that step back for each other would meet again.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * LONGEST_PAUSE_MS)
    }
  }

  #tryLock(): ProcessLock | number {
    try {
      mkdirSync(this.#folder, { recursive: true })
      return ProcessLock.take(this.path)
    } catch (error) {
      throw this.#unwritable(error)
    }
  }

  /** The file's content, read again only when it has changed. */
  #current(): Services {
    const stat = statSync(this.path, { throwIfNoEntry: false })
    const looks = stat === undefined ? null : `${stat.ino} ${stat.size} ${stat.mtimeMs}`
    if (looks === null) this.#services = {}
    else if (looks !== this.#seen) this.#services = this.#parse()
    this.#seen = looks
    return this.#services
  }

  #parse(): Services {
    let value: unknown
    try {
      value = JSON.parse(readFileSync(this.path, 'utf8'))
    } catch (error) {
      throw this.#broken(messageOf(error), error)
    }
    const parsed = bookFile.safeParse(value)
    if (parsed.success) return parsed.data.services
    const [{ path, message }] = parsed.error.issues
    throw this.#broken(`${path.join('.') || 'the whole'}: ${message}`)
  }

  #broken(what: string, cause?: unknown): TapedeckError {
    return new TapedeckError('TD_HEALTH_BROKEN', `${this.path}: the record of the AI services cannot be read (${what}); `
      + 'correct it, or move it away: then what they spent today and who is disabled is forgotten', { cause })
  }

  #unwritable(error: unknown): TapedeckError {
    return new TapedeckError('TD_RUN_WRITE',
      `${this.path}: cannot be written (${messageOf(error)}); free space or give another --out`, { cause: error })
  }
}

const healthIn = (services: Services, name: string): ServiceHealth =>
  (Object.hasOwn(services, name) ? services[name] : NEW_SERVICE)
