import type { ServiceBook } from '../session/service-book.ts'
import type { ServiceInfo } from './ports.ts'

/** Needs no questions, so that nothing is remembered of it. */
const RULES = 'technical'

/** Services of a chain in its order, then the others of which something is known. Throws TD_HEALTH_BROKEN. */
export function serviceList(book: ServiceBook, chain: readonly string[]): readonly ServiceInfo[] {
  const asked = chain.filter((name) => name !== RULES)
  const others = book.names.filter((name) => !asked.includes(name)).sort()
  return [
    ...asked.map((name, index) => ({ name, priority: index + 1, health: book.read(name) })),
    ...others.map((name) => ({ name, priority: null, health: book.read(name) })),
  ]
}
