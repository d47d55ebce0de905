import { describe, expect, it } from 'vitest'
import { Budget, type BudgetPlan } from '../../../engine/pipeline/budget.ts'
import { charged, MemoryBook } from '../../../engine/pipeline/provider-health.ts'
import type { Conversation, DecisionProvider, Message } from '../../../engine/ports.ts'

const NOON = Date.UTC(2025, 0, 1, 12)
const MIDNIGHT = Date.UTC(2025, 0, 2)
/** USD per million tokens. */
const PRICE = { input: 2, output: 10 }

const asking = (system: string, ...texts: readonly string[]): Conversation => ({
  system, snapshot: {} as Conversation['snapshot'], rules: () => ({ action: 'HOLD', confidence: 0, reasoning: '' }),
  messages: texts.map((text, index): Message => ({ role: index % 2 === 0 ? 'user' : 'assistant', text })),
})
const QUESTION = asking('s'.repeat(1_000), 'u'.repeat(500))
/** 600 tokens for the texts, 400 for what the service adds; 300 for the answer. */
const WORST = (1_000 * 2 + 300 * 10) / 1e6

const provider: DecisionProvider = { refines: true, model: 'm', maxTokens: 300, answer: () => ({ action: 'HOLD', confidence: 0, reasoning: '' }) }

function budgetOf(plan: Partial<BudgetPlan> = {}) {
  const book = new MemoryBook()
  const budget = new Budget({ run: null, day: null, priceOf: () => PRICE, book, ...plan })
  const pay = (costUsd: number, now: number, service = 'one'): void => {
    book.update(service, (health) => charged(health, now, { inputTokens: 1, outputTokens: 1, costUsd }))
  }
  return { budget, book, pay }
}

describe('the worst case of a question', () => {
  it('is all that is sent, and the longest answer', () => {
    expect(budgetOf().budget.worstCase(provider, QUESTION)).toBeCloseTo(WORST, 15)
    const longer = asking(QUESTION.system, QUESTION.messages[0].text, 'a'.repeat(250), 'b'.repeat(250))
    expect(budgetOf().budget.worstCase(provider, longer)).toBeCloseTo(WORST + (200 * 2) / 1e6, 15)
  })

  it('counts a text in which every word is short', () => {
    // A real tokeniser makes about one token of each of these.
    const text = 'RSI 31 up 5 no 7 '.repeat(100)
    const tokens = budgetOf({ priceOf: () => ({ input: 1e6, output: 0 }) }).budget.worstCase(provider, asking('', text))
    expect(tokens).toBeGreaterThan(600)
  })

  it('asks nobody to write down a question whose price is not known', () => {
    const unread = { ...QUESTION, get messages(): readonly Message[] { throw new Error('it was read') } }
    const { budget } = budgetOf({ priceOf: () => null, run: 1, day: 1 })
    expect(budget.worstCase(provider, unread)).toBe(0)
    expect(budget.allows(provider, unread, NOON)).toBe(true)
    expect(budgetOf({}).budget.allows(provider, unread, NOON)).toBe(true)
  })

  it('is priced by the model that is asked', () => {
    const { budget } = budgetOf({ priceOf: ({ model }) => (model === 'dear' ? { input: 100, output: 100 } : PRICE) })
    expect(budget.cost({ ...provider, model: 'dear' }, 10_000, 10_000)).toBe(2)
    expect(budget.cost(provider, 10_000, 10_000)).toBe(0.12)
  })
})

describe('a bound', () => {
  it.each([['run', { run: WORST }], ['day', { day: WORST }]])('of a %s allows just what fits into it', (_, bound) => {
    expect(budgetOf(bound).budget.allows(provider, QUESTION, NOON)).toBe(true)
    const [[name, most]] = Object.entries(bound)
    expect(budgetOf({ [name]: most - 1e-9 }).budget.allows(provider, QUESTION, NOON)).toBe(false)
    expect(budgetOf({ [name]: 0 }).budget.allows(provider, QUESTION, NOON)).toBe(false)
  })

  it('of nought still lets those be asked who cost nothing', () => {
    const { budget } = budgetOf({ run: 0, day: 0, priceOf: () => null })
    expect(budget.allows(provider, QUESTION, NOON)).toBe(true)
    expect(budgetOf({ run: 0, priceOf: () => ({ input: 0, output: 0 }) }).budget.allows(provider, QUESTION, NOON)).toBe(true)
  })

  it('holds if either of two is reached', () => {
    const { budget, pay } = budgetOf({ run: 100, day: WORST * 2 })
    expect(budget.allows(provider, QUESTION, NOON)).toBe(true)
    pay(WORST * 1.5, NOON)
    expect(budget.allows(provider, QUESTION, NOON)).toBe(false)
    const other = budgetOf({ run: WORST * 2, day: 100 }).budget
    other.reserve(provider, QUESTION)(WORST * 1.5)
    expect(other.allows(provider, QUESTION, NOON)).toBe(false)
  })
})

describe('what is set aside', () => {
  it.each([['run', { run: WORST * 2.5 }], ['day', { day: WORST * 2.5 }]])('counts against the %s until its question is done', (_, bound) => {
    const { budget } = budgetOf(bound)
    const [first] = [budget.reserve(provider, QUESTION), budget.reserve(provider, QUESTION)]
    expect(budget.allows(provider, QUESTION, NOON)).toBe(false)
    first(0)
    expect(budget.allows(provider, QUESTION, NOON)).toBe(true)
    expect(budget.spent).toBe(0)
  })

  it('is replaced by what it really cost', () => {
    const { budget } = budgetOf({ run: WORST * 2 })
    budget.reserve(provider, QUESTION)(WORST / 2)
    expect(budget.spent).toBe(WORST / 2)
    expect(budget.allows(provider, QUESTION, NOON)).toBe(true)
    budget.reserve(provider, QUESTION)(WORST)
    expect(budget.spent).toBe(WORST * 1.5)
    expect(budget.allows(provider, QUESTION, NOON)).toBe(false)
  })

  it('is given back as it was set aside, though the conversation has grown', () => {
    const messages = [...QUESTION.messages]
    const growing = { ...QUESTION, messages }
    const { budget } = budgetOf({ run: WORST })
    const release = budget.reserve(provider, growing)
    messages.push({ role: 'assistant', text: 'x'.repeat(10_000) })
    release(0)
    expect(budget.allows(provider, QUESTION, NOON)).toBe(true)
  })

  it('leaves no dust after many questions', () => {
    const { budget } = budgetOf({ run: WORST })
    for (let count = 1; count <= 1_000; count++) {
      const releases = Array.from({ length: 3 }, (_, index) => budget.reserve(provider, asking('', 'x'.repeat(index * 37 + count))))
      for (const release of releases) release(0)
    }
    expect(budget.allows(provider, QUESTION, NOON)).toBe(true)
  })
})

describe('a day', () => {
  it('is one of UTC, and begins anew', () => {
    const { budget, pay } = budgetOf({ day: WORST * 1.5 })
    pay(WORST, MIDNIGHT - 1)
    expect(budget.allows(provider, QUESTION, MIDNIGHT - 1)).toBe(false)
    expect(budget.allows(provider, QUESTION, MIDNIGHT)).toBe(true)
    pay(WORST, MIDNIGHT)
    expect(budget.allows(provider, QUESTION, MIDNIGHT)).toBe(false)
  })

  it('counts all services together, and what earlier runs spent', () => {
    const { budget, book, pay } = budgetOf({ day: WORST * 3 })
    pay(WORST, NOON, 'gemini')
    expect(budget.allows(provider, QUESTION, NOON)).toBe(true)
    pay(WORST * 1.5, NOON, 'openai')
    expect(budget.allows(provider, QUESTION, NOON)).toBe(false)
    expect(budget.spent).toBe(0)
    expect(new Budget({ run: WORST, day: WORST * 3, priceOf: () => PRICE, book }).allows(provider, QUESTION, NOON)).toBe(false)
  })

  it('does not free what a run may spend', () => {
    const { budget } = budgetOf({ run: WORST * 1.5 })
    budget.reserve(provider, QUESTION)(WORST)
    expect(budget.allows(provider, QUESTION, MIDNIGHT + 1)).toBe(false)
  })
})
