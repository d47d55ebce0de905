import type { ScenarioInput } from './scenario-schema.ts'

/** Where a value came from. */
export type Origin =
  'command line' | 'scenario' | `strategy ${string}` | `environment ${string}` | 'default' | 'derived'

/** AI keys stand at the top of the file and together once resolved. */
export const aiInput = ({ recording, refinement, consult, blind, budget, minCoverage }: ScenarioInput): object =>
  ({ recording, refinements: refinement?.turns, consult: consult?.when, blind, budget, minCoverage })

const AI_KEYS: readonly (readonly [string, string])[] = [['ai.refinements', 'refinement.turns'], ['ai.consult', 'consult.when'], ['ai.', '']]

/** `written` by the names of the file. */
export const writtenAi = (written: (at: string) => Origin) => (at: string): Origin => {
  const [resolved, file] = AI_KEYS.find(([prefix]) => at.startsWith(prefix)) ?? ['', '']
  return written(file + at.slice(resolved.length))
}

/** Every other value is written in the file, came by the command line, or is a default. */
export function noteOrigins(
  origins: Map<string, Origin>, at: string, input: unknown, resolved: unknown, written: (at: string) => Origin,
): void {
  if (origins.has(at)) return
  if (typeof resolved === 'object' && resolved !== null && !Array.isArray(resolved)) {
    for (const [key, value] of Object.entries(resolved)) {
      // Plugin options sit beside the plugin's name in the file and below `options` once resolved.
      const inner = key === 'options' ? input : (input as Record<string, unknown> | undefined)?.[key]
      noteOrigins(origins, key === 'options' ? at : at === '' ? key : `${at}.${key}`, inner, value, written)
    }
    return
  }
  origins.set(at, input === undefined ? 'default' : written(at))
}
