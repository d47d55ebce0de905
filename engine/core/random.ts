/**
 * Uniform numbers without state of their own or the platform's: integer operations only, so that a seed gives the same
 * numbers everywhere. Not for secrets.
 */

/** A step of splitmix32: spreads the bits of a 32-bit integer so that neighbours become strangers. */
function mix(value: number): number {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
  return bits ^ (bits >>> 15)
}

const GOLDEN = 0x9e3779b9
const RANGE = 4_294_967_296

/** Both halves of a whole number: epoch milliseconds do not fit in 32 bits. */
const absorb = (state: number, number: number): number =>
  mix(mix(state + GOLDEN + (number | 0)) + GOLDEN + (Math.floor(number / RANGE) | 0))

/**
 * A seeded generator of numbers in [0, 1) with 32 random bits each; its period of some 2^127 outlasts any tape.
 * Source: Chris Doty-Humphrey's sfc32 (PractRand), its state filled by splitmix32.
 */
export function seededRandom(seed: number): () => number {
  let a = absorb(1, seed)
  let b = absorb(2, seed)
  let c = absorb(3, seed)
  let counter = 1
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / RANGE
  }
  // Similar seeds start alike; a dozen rounds drive them apart.
  for (let round = 0; round < 12; round++) next()
  return next
}

/**
 * A number in [0, 1) that depends on nothing but its arguments, whole numbers of up to 53 bits. For strategies, which
 * keep no state: `hashUniform(seed, openTime, 0)` is the same in every run, lane and restart.
 */
export const hashUniform = (seed: number, a: number, b: number): number =>
  (absorb(absorb(absorb(0, seed), a), b) >>> 0) / RANGE

/** A number with mean 0 and variance 1, roughly normal, between −6 and 6: twelve uniform numbers, no logarithm. */
export function roughNormal(random: () => number): number {
  let sum = -6
  for (let count = 0; count < 12; count++) sum += random()
  return sum
}
