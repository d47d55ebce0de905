import { z } from 'zod'
import { FAILURE_KINDS } from '../core/provider-failure.ts'
import { ACTIONS } from '../core/opinion.ts'
import { SKIPS } from '../pipeline/consultation.ts'

const amount = z.number().min(0)
const usage = z.object({ inputTokens: amount, outputTokens: amount, costUsd: amount })

/** What a date can hold, in ms. */
const LAST_MS = 8.64e15

const failure = z.object({
  kind: z.enum(FAILURE_KINDS), message: z.string(), status: z.number().nullable(), retryAfterMs: z.number().nullable(),
  headers: z.record(z.string(), z.string()), body: z.string().nullable(), answer: z.string().nullable(),
})

const answer = z.object({
  action: z.enum(ACTIONS), confidence: z.number(), reasoning: z.string(), raw: z.string().optional(),
  model: z.string().optional(), modelVersion: z.string().optional(), responseId: z.string().optional(),
})

const request = z.object({
  provider: z.string(), model: z.string(), endpoint: z.string(), system: z.string(),
  messages: z.array(z.object({ role: z.enum(['user', 'assistant']), text: z.string() })).min(1),
  schema: z.record(z.string(), z.unknown()), sampling: z.record(z.string(), z.unknown()),
})

/** One question and what came of it. */
export const exchangeLine = z.object({
  kind: z.literal('exchange'),
  /** Numbers the tape's lines from 1; pruned ones leave a hole. */
  seq: z.int().min(1),
  key: z.string().regex(/^[0-9a-f]{64}$/),
  sample: z.int().min(0),
  /** Counts recordings of the same question; the newest counts. */
  generation: z.int().min(1),
  request,
  answer: answer.nullable(),
  failure: failure.nullable(),
  usage,
  latencyMs: z.number().min(0),
  attempts: z.int().min(0),
  /** Date of the price table by which the cost was counted. */
  prices: z.string(),
})
export type ExchangeLine = z.infer<typeof exchangeLine>

/** What became of each link of the chain at one decision. */
export const decisionLine = z.object({
  kind: z.literal('decision'),
  seq: z.int().min(1),
  symbol: z.string(),
  /** The decision's timestamp, epoch ms. */
  time: z.number().min(-LAST_MS).max(LAST_MS),
  /** Hash of the providers and of how each was asked. */
  chain: z.string(),
  sample: z.int().min(0),
  generation: z.int().min(1),
  steps: z.array(z.object({
    provider: z.string(), skipped: z.enum(SKIPS).nullable(),
    /** `seq` of each exchange that it was told by, in their order. */
    exchanges: z.array(z.int().min(1)),
  })),
})
export type DecisionLine = z.infer<typeof decisionLine>

export const tapeLine = z.discriminatedUnion('kind', [exchangeLine, decisionLine])
export type TapeLine = z.infer<typeof tapeLine>

export const manifestFile = z.object({
  format: z.literal(1),
  keyVersion: z.int(),
  createdBy: z.string(),
  /** The newest, and whether it was recorded to its end: an unfinished one is gone on with. */
  generation: z.int().min(1),
  complete: z.boolean(),
})
export type Manifest = z.infer<typeof manifestFile>
