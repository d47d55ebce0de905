import { z } from 'zod'
import { defaultModel } from '../../engine/core/models.ts'

const LONGEST_MS = 600_000

/** Options that all AI services have in common. */
export const serviceOptions = (provider: string) => ({
  model: z.string().min(1).default(defaultModel(provider)).describe('as the service names it'),
  baseURL: z.string().optional()
    .describe('another server that speaks the same, such as http://127.0.0.1:11434/v1; left out = the service itself'),
  timeoutMs: z.int().min(1).max(LONGEST_MS).default(30_000).describe('an answer that takes longer is given up'),
  temperature: z.number().min(0).max(2).nullable().default(0)
    .describe('null leaves it to the service: some models accept none'),
  maxTokens: z.int().min(1).default(1024).describe('longest answer, thoughts included'),
  topP: z.number().gt(0).max(1).optional().describe('share of likely words that an answer is drawn from'),
})

export interface ServiceOptions {
  readonly model: string
  readonly baseURL?: string | undefined
  readonly timeoutMs: number
  readonly maxTokens: number
}
