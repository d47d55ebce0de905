/** When prices and cut-offs were last looked up. Models come and go: check before money depends on it. */
export const AS_OF = '2026-06-30'

export interface ModelFacts {
  /** USD per million tokens. */
  readonly input: number
  /** USD per million tokens, thoughts included. */
  readonly output: number
  /** ISO date up to which the model may know the world; null = not published. */
  readonly cutoff: string | null
  /** Where price and cut-off are published. */
  readonly source: string
}

const GOOGLE = 'https://ai.google.dev/gemini-api/docs/pricing'
const OPENAI = 'https://platform.openai.com/docs/pricing'
const ANTHROPIC = 'https://platform.claude.com/docs/en/about-claude/models/overview'
const TOGETHER = 'https://www.together.ai/pricing'

/** By provider and model. The first of a provider is its default. */
export const MODELS: Readonly<Record<string, Readonly<Record<string, ModelFacts>>>> = {
  gemini: {
    'gemini-3.1-flash-lite': { input: 0.25, output: 1.5, cutoff: '2025-01-31', source: GOOGLE },
    'gemini-3.5-flash': { input: 1.5, output: 9, cutoff: null, source: GOOGLE },
    'gemini-3-flash-preview': { input: 0.5, output: 3, cutoff: '2025-01-31', source: GOOGLE },
    'gemini-2.5-pro': { input: 1.25, output: 10, cutoff: '2025-01-31', source: GOOGLE },
    'gemini-2.5-flash': { input: 0.3, output: 2.5, cutoff: '2025-01-31', source: GOOGLE },
    'gemini-2.5-flash-lite': { input: 0.1, output: 0.4, cutoff: '2025-01-31', source: GOOGLE },
  },
  openai: {
    'gpt-5.4-mini': { input: 0.75, output: 4.5, cutoff: '2025-08-31', source: OPENAI },
    'gpt-5.4': { input: 2.5, output: 15, cutoff: '2025-08-31', source: OPENAI },
    'gpt-5.4-nano': { input: 0.2, output: 1.25, cutoff: '2025-08-31', source: OPENAI },
    'gpt-4.1-mini': { input: 0.4, output: 1.6, cutoff: '2024-06-01', source: OPENAI },
    'gpt-4.1': { input: 2, output: 8, cutoff: '2024-06-01', source: OPENAI },
    'gpt-4o-mini': { input: 0.15, output: 0.6, cutoff: '2023-10-01', source: OPENAI },
  },
  anthropic: {
    'claude-haiku-4-5': { input: 1, output: 5, cutoff: '2025-07-31', source: ANTHROPIC },
    'claude-haiku-4-5-20251001': { input: 1, output: 5, cutoff: '2025-07-31', source: ANTHROPIC },
    'claude-sonnet-4-6': { input: 3, output: 15, cutoff: '2026-01-31', source: ANTHROPIC },
    'claude-opus-4-7': { input: 5, output: 25, cutoff: '2026-01-31', source: ANTHROPIC },
  },
  together: {
    'meta-llama/Llama-3.3-70B-Instruct-Turbo': { input: 0.88, output: 0.88, cutoff: '2023-12-01', source: TOGETHER },
  },
  simulated: {
    'simulated-1': { input: 0, output: 0, cutoff: null, source: 'made here' },
  },
}

/** What is known of a model, whoever offers it; null for one that the table does not have. */
export function factsOf(model: string | undefined): ModelFacts | null {
  if (model === undefined) return null
  return Object.values(MODELS).find((models) => Object.hasOwn(models, model))?.[model] ?? null
}

/** The model that is asked where nobody names one. */
export function defaultModel(provider: string): string {
  const models = MODELS[provider]
  if (models === undefined) throw new Error(`engine/core/models.ts names no model of provider ${provider}`)
  return Object.keys(models)[0]
}

/** USD of so many tokens, at a price in USD per million. */
export const costOf = (price: Pick<ModelFacts, 'input' | 'output'>, inputTokens: number, outputTokens: number): number =>
  (inputTokens * price.input + outputTokens * price.output) / 1e6
