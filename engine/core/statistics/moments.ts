import { mean, type Series } from '../metrics.ts'

/** Central moments divided by n, of the given orders' powers of the standard deviation; null when the values do not vary. */
function standardised(values: Series, order: 3 | 4): number | null {
  if (values.length < 2) return null
  const centre = mean(values)
  let squares = 0
  let powers = 0
  for (let i = 0; i < values.length; i++) {
    const distance = values[i] - centre
    squares += distance * distance
    powers += distance ** order
  }
  const variance = squares / values.length
  const result = powers / values.length / variance ** (order / 2)
  return variance > 0 && Number.isFinite(result) ? result : null
}

/** Skewness m₃ ÷ m₂^1.5 of the values as a population. Null with fewer than 2, or when they do not vary. */
export const skewness = (values: Series): number | null => standardised(values, 3)

/** Kurtosis m₄ ÷ m₂², not the excess: 3 for a normal distribution. Null with fewer than 2, or when they do not vary. */
export const kurtosis = (values: Series): number | null => standardised(values, 4)
