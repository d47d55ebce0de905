import { Budget, type BudgetPlan } from '../../engine/pipeline/budget.ts'
import { MemoryBook, type HealthBook, type ServiceHealth } from '../../engine/pipeline/provider-health.ts'
import { ProviderChain, type ChainLink } from '../../engine/pipeline/provider-chain.ts'
import { Service } from '../../engine/pipeline/service.ts'
import { ServiceChain, type AnswerTape } from '../../engine/pipeline/service-chain.ts'
import type { Clock } from '../../engine/ports.ts'
import { EventClock } from './event-clock.ts'

export interface ChainOptions {
  readonly turns?: number
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly deadlineMs?: number
  readonly book?: HealthBook
  readonly budget?: Partial<BudgetPlan>
  readonly tape?: AnswerTape | null
  readonly random?: () => number
  readonly redact?: (text: string) => string
  readonly changed?: (service: string, health: ServiceHealth) => void
}

/** Services as a run has them, in memory. */
export function servicesOf(links: readonly ChainLink[], options: ChainOptions = {}): ServiceChain {
  const { turns = 1, signal = new AbortController().signal, clock = new EventClock(), deadlineMs = 30_000, tape = null } = options
  const book = options.book ?? new MemoryBook()
  const budget = new Budget({ run: null, day: null, priceOf: () => null, book, ...options.budget })
  const services = links.map(({ name, provider }) => new Service({
    name, provider, book, budget, clock, random: options.random ?? (() => 0.5), redact: options.redact ?? ((text) => text), changed: options.changed ?? (() => {}),
  }))
  return new ServiceChain({ services, refinements: turns, deadlineMs, clock, signal, tape })
}

/** The same before rules. */
export function chainOf(links: readonly ChainLink[], options: ChainOptions = {}): ProviderChain {
  const { signal = new AbortController().signal } = options
  const services = links.filter(({ provider }) => provider.refines)
  return new ProviderChain(links, services.length === 0 ? null : servicesOf(services, { ...options, signal }), signal)
}
