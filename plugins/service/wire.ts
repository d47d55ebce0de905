import { ProviderFailure } from '../../engine/core/provider-failure.ts'

/** No answer of ours is longer; a server that never stops must not fill the memory. */
const MAX_BYTES = 4 * 2 ** 20
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/** What came over the line, whatever an SDK made of it. */
export interface Seen {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/**
 * One request over `fetch` for an SDK: only to `origin`, never after a redirect, since a key would go along, and with an
 * end that holds for the body too. What was answered is kept.
 */
export class Wire {
  readonly #origin: string
  readonly #outer: typeof fetch
  readonly #signal: AbortSignal
  seen: Seen | null = null
  /** Why nothing came. */
  failure: ProviderFailure | null = null

  constructor(origin: string, outer: typeof fetch, signal: AbortSignal) {
    this.#origin = origin
    this.#outer = outer
    this.#signal = signal
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (url.origin !== this.#origin) {
      throw this.#fail('bad-request', `a request to ${url.origin} instead of ${this.#origin} was held back`)
    }
    try {
      const response = await this.#outer(url, { ...init, redirect: 'manual', signal: this.#signal })
      const { status, headers } = response
      const body = await this.#text(response)
      this.seen = { status, headers, body }
      return new Response(WITHOUT_BODY.has(status) ? null : body, { status, headers })
    } catch (error) {
      throw this.failure ?? this.#fail('network', `no answer from ${this.#origin}: ${reasonOf(error)}`)
    }
  }

  async #text({ body }: Response): Promise<string> {
    if (body === null) return ''
    const decoder = new TextDecoder()
    let text = ''
    let bytes = 0
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > MAX_BYTES) throw this.#fail('server', `${this.#origin} sent more than ${MAX_BYTES} bytes`)
      text += decoder.decode(chunk, { stream: true })
    }
    return text + decoder.decode()
  }

  #fail(...args: ConstructorParameters<typeof ProviderFailure>): ProviderFailure {
    return this.failure = new ProviderFailure(...args)
  }
}

/** The code of what went wrong: `fetch` hides it in causes, and messages may hold what was sent. */
function reasonOf(error: unknown): string {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const { code } = cause as { code?: unknown }
    if (typeof code === 'string') return code
  }
  return 'the connection failed'
}
