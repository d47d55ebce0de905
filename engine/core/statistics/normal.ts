const ROOT_TWO_PI = Math.sqrt(2 * Math.PI)

/** Where the series loses its digits to cancellation, and the continued fraction has become quick. */
const TAIL = 4

const density = (x: number): number => Math.exp(-0.5 * x * x) / ROOT_TWO_PI

/**
 * Standard normal distribution Φ(x): a power series in the middle (G. Marsaglia, "Evaluating the Normal Distribution", 2004),
 * the continued fraction of Mills' ratio in the tails (Abramowitz & Stegun 26.2.14).
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return NaN
  if (x > TAIL) return 1 - upperTail(x)
  if (x < -TAIL) return upperTail(-x)
  let term = x
  let sum = x
  for (let odd = 3; Math.abs(term) > 1e-18 * Math.abs(sum); odd += 2) {
    term *= (x * x) / odd
    sum += term
  }
  return 0.5 + sum * density(x)
}

function upperTail(x: number): number {
  let fraction = x
  for (let step = 120; step > 0; step--) fraction = x + step / fraction
  return density(x) / fraction
}

/** Φ⁻¹(p) for p in (0, 1): a rational first guess (Abramowitz & Stegun 26.2.23), made exact by Halley's steps. ±Infinity at the ends. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity
  if (p > 0.5) return -normalQuantile(1 - p)
  const t = Math.sqrt(-2 * Math.log(p))
  let x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))))
  for (let step = 0; step < 4; step++) {
    const error = (normalCdf(x) - p) / density(x)
    x -= error / (1 + (x * error) / 2)
  }
  return x
}
