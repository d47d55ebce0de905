/** A stretch of the market with one mood. */
export interface Regime {
  readonly mood: 'bull' | 'bear' | 'sideways' | 'crash'
  /** Candles. */
  readonly length: number
  /** Share of the price that the whole stretch of hours adds on average, negative for a loss. */
  readonly change: number
  /** How much wilder than usual. */
  readonly wildness: number
}

const between = (random: () => number, low: number, high: number): number => low + (high - low) * random()
const whole = (random: () => number, low: number, high: number): number => Math.floor(between(random, low, high))

const MOODS: Record<Regime['mood'], (random: () => number) => Regime> = {
  bull: (random) => ({ mood: 'bull', length: whole(random, 150, 250), change: between(random, 0.05, 0.35), wildness: 1 }),
  bear: (random) => ({ mood: 'bear', length: whole(random, 120, 220), change: between(random, -0.22, -0.05), wildness: 1.2 }),
  sideways: (random) => ({ mood: 'sideways', length: whole(random, 120, 220), change: 0, wildness: 0.6 }),
  crash: (random) => ({ mood: 'crash', length: whole(random, 12, 40), change: between(random, -0.35, -0.18), wildness: 3 }),
}

/** What every tape of 1,000 candles has seen: these four together last at most 730. */
const OVERTURE = ['bull', 'sideways', 'crash', 'bear'] as const

/**
 * Endless regimes. `level` is the price as a multiple of the start price: far from it the mood turns, so that a long
 * tape neither dies nor explodes. Its length never changes what comes before: a longer tape begins with the shorter one.
 */
export function regimes(random: () => number): (level: number) => Regime {
  let count = 0
  return (level) => {
    if (count < OVERTURE.length) return MOODS[OVERTURE[count++]](random)
    const draw = random()
    if (level < 0.4) return MOODS[draw < 0.8 ? 'bull' : 'sideways'](random)
    if (level > 4) return MOODS[draw < 0.7 ? 'bear' : draw < 0.85 ? 'crash' : 'sideways'](random)
    return MOODS[draw < 0.38 ? 'bull' : draw < 0.63 ? 'bear' : draw < 0.92 ? 'sideways' : 'crash'](random)
  }
}
