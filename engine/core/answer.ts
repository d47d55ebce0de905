import { ACTIONS, opinionFault, type Opinion } from './opinion.ts'
import { ProviderFailure } from './provider-failure.ts'

/**
 * What every answer has to look like. Without ranges, which not every service accepts in a schema: {@link parseAnswer}
 * checks them.
 */
export const ANSWER_SCHEMA = {
  type: 'object',
  properties: {
    action: { type: 'string', enum: [...ACTIONS] },
    confidence: { type: 'number', description: 'between 0 and 1' },
    reasoning: { type: 'string' },
  },
  required: ['action', 'confidence', 'reasoning'],
  additionalProperties: false,
} as const

/** Longer reasoning is cut: it is read by people and decides nothing. */
const MAX_REASONING = 10_000
const MAX_SHOWN = 60
const FENCE = /^```(?:json)?[ \t]*\r?\n([\s\S]*?)\r?\n?```$/

/**
 * Reads an answer's text: one JSON object of {@link ANSWER_SCHEMA}, alone or in a code fence. Throws ProviderFailure of
 * kind `not-json` or `invalid`; its message can be told to the model.
 */
export function parseAnswer(text: string): Opinion {
  const trimmed = text.trim()
  let value: unknown
  try {
    value = JSON.parse(FENCE.exec(trimmed)?.[1] ?? trimmed)
  } catch {
    const fault = trimmed === '' ? 'the answer is empty' : 'the answer is not one JSON object'
    throw new ProviderFailure('not-json', fault, { answer: text })
  }
  const fault = shapeFault(value) ?? opinionFault(value as Opinion)
  if (fault !== null) throw new ProviderFailure('invalid', fault, { answer: text })
  const { action, confidence, reasoning } = value as Opinion
  const endless = reasoning.length > MAX_REASONING
  return { action, confidence, reasoning: endless ? `${reasoning.slice(0, MAX_REASONING)}…` : reasoning }
}

function shapeFault(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `expected one JSON object, got ${shown(value)}`
  }
  const missing = ANSWER_SCHEMA.required.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) return `the field "${missing}" is missing`
  const extra = Object.keys(value).find((name) => !Object.hasOwn(ANSWER_SCHEMA.properties, name))
  if (extra !== undefined) return `the field ${shown(extra)} does not belong there`
  const { action, confidence } = value as Record<string, unknown>
  if (typeof action !== 'string') return `action ${shown(action)} is not BUY, SELL or HOLD`
  if (typeof confidence !== 'number') return `confidence ${shown(confidence)} is not a number from 0 to 1`
  // What follows quotes the action whole.
  return action.length > MAX_SHOWN ? `action ${shown(action)} is not BUY, SELL or HOLD` : null
}

function shown(value: unknown): string {
  let json: string
  try {
    json = JSON.stringify(value)
  } catch {
    // What is read without recursion may be nested deeper than can be written.
    return 'something that is nested too deeply'
  }
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json
}
