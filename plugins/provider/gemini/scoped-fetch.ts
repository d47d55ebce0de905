import { AsyncLocalStorage } from 'node:async_hooks'

const scope = new AsyncLocalStorage<typeof fetch>()
let installed: typeof fetch | null = null

/**
 * Runs `work` with another `fetch`. Google's SDK takes none and calls the global one, which follows redirects and would
 * send the key along. Everything outside of `work` keeps the global one as it is.
 */
export function withFetch<T>(own: typeof fetch, work: () => Promise<T>): Promise<T> {
  if (globalThis.fetch !== installed) {
    const before = globalThis.fetch
    installed = (input, init) => {
      const scoped = scope.getStore()
      return scoped === undefined ? before(input, init) : scope.exit(() => scoped(input, init))
    }
    globalThis.fetch = installed
  }
  return scope.run(own, work)
}
