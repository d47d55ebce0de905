/** The server said no, or nothing at all. The message is one line for people; `status` is null where nobody answered. */
export class ApiError extends Error {
  constructor(message: string, readonly status: number | null) {
    super(message)
    this.name = 'ApiError'
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}

async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  const error = record(record(body)['error'])
  const [message, next] = [error['message'], error['do']]
  const said = typeof message === 'string' ? message : `the server answered ${response.status}`
  return new ApiError(typeof next === 'string' && next !== '' ? `${said}. ${next}` : said, response.status)
}

/** What is not answered in this time counts as lost, in ms. Acts wait for an exchange. */
const PATIENCE_MS = { question: 20_000, act: 60_000 }

async function ask(path: string, init: RequestInit): Promise<unknown> {
  const act = init.method === 'POST'
  let response: Response
  try {
    response = await fetch(path, {
      credentials: 'same-origin', signal: AbortSignal.timeout(act ? PATIENCE_MS.act : PATIENCE_MS.question), ...init,
    })
  } catch {
    throw new ApiError(act ? 'the server does not answer; what was asked for may still happen' : 'the server does not answer', null)
  }
  if (!response.ok) throw await refusal(response)
  return response.status === 204 ? null : response.json().catch(() => null) as Promise<unknown>
}

/** `T` is what the contract promises for the path. */
export const get = async <T>(path: string): Promise<T> => await ask(path, {}) as T

export const post = async <T>(path: string, body?: unknown): Promise<T> =>
  await ask(path, body === undefined ? { method: 'POST' }
    : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) as T

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
