import { mean, type Series } from '../metrics.ts'

/**
 * How many independent trials so many correlated ones are worth: (Σλ)² ÷ Σλ² of the eigenvalues λ of their correlation matrix,
 * the participation ratio, which is N² ÷ Σρᵢⱼ² without taking the matrix apart. Columns of equal length; those that do not vary
 * count for nothing.
 */
export function effectiveTrials(columns: readonly Series[]): number {
  const normed = columns.map(standardise).filter((column): column is Float64Array => column !== null)
  const count = normed.length
  if (count === 0) return 0
  let squares = count
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const correlation = dot(normed[a], normed[b])
      squares += 2 * correlation * correlation
    }
  }
  return (count * count) / squares
}

/** Centred and of length 1, so that a product is a correlation; null when the values do not vary. */
function standardise(values: Series): Float64Array | null {
  const centre = mean(values)
  const centred = Float64Array.from({ length: values.length }, (_, index) => values[index] - centre)
  const size = Math.sqrt(dot(centred, centred))
  return size > 1e-12 ? centred.map((value) => value / size) : null
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) sum += a[index] * b[index]
  return sum
}
