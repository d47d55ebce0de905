import type { Strategy } from '../engine/ports.ts'

/** The manifest: one line per strategy, imported only when it is used. */
export const strategies: Readonly<Record<string, () => Promise<{ default: Strategy }>>> = {
  'autonomous-scalper': () => import('./autonomous-scalper.ts'),
  'sma-cross': () => import('./sma-cross.ts'),
  'buy-and-hold': () => import('./buy-and-hold.ts'),
  random: () => import('./random.ts'),
}
