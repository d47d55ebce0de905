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

type Span = readonly [low: number, high: number]

interface Mood {
  readonly length: Span
  readonly change: Span
  readonly wildness: number
}

const MOODS: Readonly<Record<Regime['mood'], Mood>> = {
  bull: { length: [150, 250], change: [0.05, 0.35], wildness: 1 },
  bear: { length: [120, 220], change: [-0.22, -0.05], wildness: 1.2 },
  sideways: { length: [120, 220], change: [0, 0], wildness: 0.6 },
  crash: { length: [12, 40], change: [-0.35, -0.18], wildness: 3 },
}

const between = ([low, high]: Span, random: () => number): number =>
  (low === high ? low : low + (high - low) * random())

function draw(mood: Regime['mood'], random: () => number): Regime {
  const { length, change, wildness } = MOODS[mood]
  return { mood, length: Math.floor(between(length, random)), change: between(change, random), wildness }
}

/** What every tape of 1,000 candles has seen: these four together last at most 730. */
const OVERTURE = ['bull', 'sideways', 'crash', 'bear'] as const

/**
 * Endless regimes. `level` is the price as a multiple of the start price: far from it the mood turns, so that a long
 * tape neither dies nor explodes. How long it will be changes nothing: a longer tape begins with the shorter one.
 */
export function regimes(random: () => number): (level: number) => Regime {
  let count = 0
  return (level) => {
    if (count < OVERTURE.length) return draw(OVERTURE[count++], random)
    const dice = random()
    if (level < 0.4) return draw(dice < 0.8 ? 'bull' : 'sideways', random)
    if (level > 4) return draw(dice < 0.7 ? 'bear' : dice < 0.85 ? 'crash' : 'sideways', random)
    return draw(dice < 0.38 ? 'bull' : dice < 0.63 ? 'bear' : dice < 0.92 ? 'sideways' : 'crash', random)
  }
}
