import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ANSWER_SCHEMA } from '../../engine/core/answer.ts'
import { defaultModel } from '../../engine/core/models.ts'
import type { Action, Opinion } from '../../engine/core/opinion.ts'
import { baseRate, DEFAULT_POLICY } from '../../engine/core/policy.ts'
import { ProviderFailure, type FailureFacts, type FailureKind } from '../../engine/core/provider-failure.ts'
import { definePlugin } from '../../engine/ports.ts'
import type { Answer, Conversation, DecisionProvider, Message, ProviderRequest } from '../../engine/ports.ts'

const MODEL = defaultModel('simulated')
/** How often it acts where the rules see nothing. */
const WHIM = 0.1
/** How far full skill moves a chance. */
const REACH = 0.3
const MAX_TOKENS = 256
const CHARACTERS_PER_TOKEN = 4

const share = z.number().min(0).max(1)
const options = z.strictObject({
  seed: z.int().min(0).default(1).describe('the same seed gives the same answers to the same questions'),
  baseRate: share.default(baseRate(DEFAULT_POLICY.stopLoss, DEFAULT_POLICY.takeProfit)!)
    .describe('how often a walk without drift reaches the target before the stop: stopLoss ÷ (stopLoss + takeProfit)'),
  skill: share.default(0)
    .describe('how far its confidence leans on the strategy\'s rules; 0 = it says the base rate, whatever it sees'),
  calibration: share.default(1)
    .describe('1 = it says the chance that it works out; less = it says more than that, at 0 that it is certain'),
  flipRate: share.default(0.1).describe('chance that it changes its action when it is asked again'),
  failureRate: share.default(0).describe('chance that a question fails, for good'),
  outage: z.strictObject({ from: z.iso.datetime(), to: z.iso.datetime() }).nullable().default(null)
    .describe('time of the market in which every question fails, to see what a run does without its AI'),
  latencyMs: z.number().min(0).default(800).describe('mean time to answer in ms, which is told and not waited for'),
})
type Options = z.output<typeof options>

const FAILURES: readonly (readonly [FailureKind, string, FailureFacts])[] = [
  ['server', 'answered 503: overloaded', { status: 503 }],
  ['server', 'answered 500: internal error', { status: 500 }],
  ['rate-limit', 'answered 429: too many requests', { status: 429, retryAfterMs: 20_000 }],
  ['timeout', 'gave no answer in time', {}],
  ['network', 'closed the connection', {}],
  ['refused', 'refused', {}],
  ['truncated', 'the answer was cut off', { answer: '{"action":"BUY","conf' }],
  ['not-json', 'the answer is not one JSON object', { answer: 'simulated: Sure! I would buy.' }],
]
const ACTIONS: readonly Action[] = ['BUY', 'SELL', 'HOLD']

/**
 * A stand-in for an analyst. It cannot foresee anything. On prices without drift, the target comes before the stop with
 * the base rate, whatever was seen before: at skill 0 it says just that, and is calibrated by construction. Skill lets it
 * trust the strategy's rules, which is as right as they are. Everything follows from the seed and the conversation, never
 * from the order of questions.
 */
class Simulated implements DecisionProvider {
  readonly refines = true
  readonly model = MODEL
  readonly maxTokens = MAX_TOKENS
  readonly #options: Options

  constructor(parsed: Options) {
    this.#options = parsed
  }

  request({ system, messages }: Conversation): ProviderRequest {
    return {
      provider: 'simulated', model: MODEL, endpoint: 'simulated', system, messages, schema: ANSWER_SCHEMA,
      sampling: this.#options,
    }
  }

  answer(conversation: Conversation, signal: AbortSignal): Answer {
    signal.throwIfAborted()
    const { messages, system } = conversation
    const { failureRate, latencyMs } = this.#options
    const dice = this.#dice(messages)
    const inputTokens = tokens(messages.reduce((sum, { text }) => sum + text, system))
    if (this.#isOut(conversation)) throw new ProviderFailure('server', 'simulated outage: answered 503', { status: 503 })
    if (dice(0) < failureRate) {
      const [kind, why, facts] = FAILURES[Math.floor(dice(1) * FAILURES.length)]
      const usage = typeof facts.answer === 'string' ? { inputTokens, outputTokens: tokens(facts.answer) } : null
      throw new ProviderFailure(kind, `simulated ${why}`, { ...facts, usage })
    }
    const opinion = this.#opinion(conversation)
    const raw = JSON.stringify(opinion)
    return {
      ...opinion, model: MODEL, raw, modelVersion: MODEL,
      responseId: `simulated-${Math.floor(dice(2) * 2 ** 32).toString(16)}`,
      latencyMs: Math.round(latencyMs * (0.5 + dice(3))), usage: { inputTokens, outputTokens: tokens(raw) },
    }
  }

  #isOut({ snapshot: { time } }: Conversation): boolean {
    const { outage } = this.#options
    return outage !== null && time >= Date.parse(outage.from) && time < Date.parse(outage.to)
  }

  #opinion(conversation: Conversation): Opinion {
    const { messages } = conversation
    const { baseRate: base, skill, flipRate, calibration } = this.#options
    const lean = leanOf(conversation)
    let action = this.#first(conversation, lean)
    let flips = 0
    for (let asked = 3; asked <= messages.length; asked += 2) {
      const dice = this.#dice(messages.slice(0, asked))
      if (dice(4) >= flipRate) continue
      flips++
      action = ACTIONS[(ACTIONS.indexOf(action) + (dice(5) < 0.5 ? 1 : 2)) % ACTIONS.length]
    }
    const targetFirst = Math.min(0.98, Math.max(0.02, base + skill * lean * REACH))
    const chance = action === 'BUY' ? targetFirst : action === 'SELL' ? 1 - targetFirst : 0.5
    const confidence = Math.round((1 - calibration * (1 - chance)) * 1e4) / 1e4
    const why = flips > 0 ? `on second thoughts ${action}`
      : `${action} with the base rate ${round(base)} and a lean of ${round(lean)}`
    return { action, confidence, reasoning: `simulated: ${why}` }
  }

  #first(conversation: Conversation, lean: number): Action {
    const { action } = conversation.rules()
    if (action !== 'HOLD') return action
    if (this.#dice(conversation.messages.slice(0, 1))(6) >= WHIM) return 'HOLD'
    return lean < 0 ? 'SELL' : 'BUY'
  }

  /** Eight numbers in [0, 1) that follow from the seed and what was said. */
  #dice(messages: readonly Message[]): (index: number) => number {
    const said = JSON.stringify([this.#options.seed, messages.map(({ text }) => text)])
    const digest = createHash('sha256').update(said).digest()
    return (index) => digest.readUInt32BE(index * 4) / 2 ** 32
  }
}

/** What rules and trend speak for, from −1 (the stop) to 1 (the target). */
function leanOf(conversation: Conversation): number {
  const { action, confidence } = conversation.rules()
  const strength = Math.max(0, confidence - 0.5) * 2
  if (action !== 'HOLD') return action === 'BUY' ? strength : -strength
  const { trend } = conversation.snapshot
  return trend === 'UP' ? 0.3 : trend === 'DOWN' ? -0.3 : 0
}

const tokens = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN)
const round = (value: number): number => Math.round(value * 1000) / 1000

export default definePlugin({
  kind: 'provider',
  name: 'simulated',
  description: 'A seeded stand-in for an AI analyst, without key, network or foresight, to try chains and recordings.',
  options,
  create: (parsed) => new Simulated(parsed),
})
