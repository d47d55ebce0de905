import type { EpochMs } from '../../engine/core/time.ts'

/** A request whose answer never came, or told of a failure that a sound exchange does not know. */
export interface Mishap {
  readonly time: EpochMs
  /** `POST /order`. */
  readonly request: string
  readonly what: string
}

export interface Watching {
  readonly now: () => EpochMs
  /** A hanging request is given up after so many real ms; null leaves that to the bot's own, longer limit. */
  readonly timeoutMs: number | null
  readonly failed: (mishap: Mishap) => void
  /** Told after each request. */
  readonly passed: (time: EpochMs) => void
}

/** Codes that say something about the exchange's health; other refusals are answers like any other. */
const SICK = new Set([-1000, -1001, -1003, -1006, -1007, -1008, -1015, -1021])

/** `fetch` that notices what goes wrong below /api/v3. */
export function watchedFetch(real: typeof fetch, { now, timeoutMs, failed, passed }: Watching): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(String(input instanceof Request ? input.url : input))
    if (!url.pathname.startsWith('/api/v3')) return real(input, init)
    const request = `${init.method ?? 'GET'} ${url.pathname.slice('/api/v3'.length)}`
    const fail = (what: string): void => { failed({ time: now(), request, what }) }
    const limits = [init.signal, timeoutMs === null ? null : AbortSignal.timeout(timeoutMs)].filter((signal) => signal instanceof AbortSignal)
    try {
      const answer = await real(input, { ...init, ...(limits.length === 0 ? {} : { signal: AbortSignal.any(limits) }) })
      const text = await answer.text()
      const sick = sicknessOf(answer.status, text)
      if (sick !== null) fail(sick)
      return new Response(text, answer)
    } catch (error) {
      fail(error instanceof Error ? error.name : String(error))
      throw error
    } finally {
      passed(now())
    }
  }
}

function sicknessOf(status: number, text: string): string | null {
  if (status >= 500 || status === 429 || status === 418) return `HTTP ${status}`
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return 'no JSON'
  }
  if (status !== 200) {
    const code = Number((parsed as { code?: unknown }).code)
    return SICK.has(code) ? `code ${code}` : null
  }
  return /(?:^|[:[,])"NaN"/.test(text) ? 'wrong types' : null
}
