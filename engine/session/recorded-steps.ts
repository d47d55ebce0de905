import { isoTime } from '../core/time.ts'
import type { Step } from '../pipeline/consultation.ts'
import type { ServiceHealth } from '../pipeline/provider-health.ts'
import type { Answer, PastLine } from '../ports.ts'

/** How a service stands from here on, for the trail. */
export const stateFields = (service: string, { state, reason, until }: ServiceHealth): Record<string, unknown> =>
  ({ event: 'state', service, state, reason, until: until === null ? null : isoTime(until) })

/** What the trail keeps of a step: all that the loop and a person need, without the services' own words. */
export const stepFields = ({ provider, skipped, replies, turns, failure }: Step): object => ({
  provider, skipped,
  replies: replies.map(({ answer, failure: failed, latencyMs, attempts, usage }) => ({
    answer: answer === null ? null : answerFields(answer), failure: failed === null ? null : failureFields(failed), latencyMs, attempts, usage,
  })),
  turns: turns.map((turn) => replies.findIndex(({ answer }) => answer === turn)),
  failure: failure === null ? null : failureFields(failure),
})

const answerFields = ({ action, confidence, reasoning, model, modelVersion, responseId }: Answer): object =>
  ({ action, confidence, reasoning, model, modelVersion, responseId })

const failureFields = ({ kind, message, status, retryAfterMs }: NonNullable<Step['failure']>): object =>
  ({ kind, message, status, retryAfterMs, headers: {}, body: null, answer: null })

/** The steps of a line that {@link stepFields} went into. */
export function stepsOf(line: PastLine): readonly Step[] {
  const steps = line['steps'] as readonly (Omit<Step, 'turns'> & { readonly turns: readonly number[] })[]
  return steps.map((step) => ({ ...step, turns: step.turns.map((at) => (step.replies)[at].answer!) }))
}
