import { seededRandom } from '../../engine/core/random.ts'
import type { Deps } from '../../engine/ports.ts'

/** What a provider may touch, with nothing in the environment. */
export const providerDeps = (own: Partial<Deps> = {}): Deps => ({
  clock: { now: () => Date.UTC(2025, 0, 1), sleep: async () => {}, reach: () => {} },
  nextId: (prefix) => `${prefix}-1`,
  random: seededRandom(1),
  fetch: globalThis.fetch,
  env: {},
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  signal: new AbortController().signal,
  ...own,
})
