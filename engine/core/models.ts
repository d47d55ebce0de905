/** USD per million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
}
export const PRICES_AS_OF = '2026-11-01'
export const priceOf = (model: string): Price | null => (model.startsWith('simulated') ? { input: 0, output: 0 } : null)
