import type { Series } from '../metrics.ts'

/** A rising step function: at `x[i]` and up to the next it is worth `y[i]`. */
export interface Isotonic {
  readonly x: Float64Array
  readonly y: Float64Array
}

/** Least-squares rising fit of y on p by pooling neighbours that fall (M. Ayer et al., 1955). Equal p are one point. */
export function isotonicFit(p: Series, y: Series): Isotonic {
  const order = Array.from({ length: p.length }, (_, index) => index).sort((a, b) => p[a] - p[b])
  const blocks: { x: number; sum: number; n: number }[] = []
  for (const index of order) {
    const last = blocks.at(-1)
    if (last !== undefined && last.x === p[index]) {
      last.sum += y[index]
      last.n++
    } else blocks.push({ x: p[index], sum: y[index], n: 1 })
  }
  const pooled: typeof blocks = []
  for (const block of blocks) {
    let now = { ...block }
    for (let before = pooled.at(-1); before !== undefined && before.sum / before.n >= now.sum / now.n; before = pooled.at(-1)) {
      pooled.pop()
      now = { x: before.x, sum: before.sum + now.sum, n: before.n + now.n }
    }
    pooled.push(now)
  }
  return { x: Float64Array.from(pooled, ({ x }) => x), y: Float64Array.from(pooled, ({ sum, n }) => sum / n) }
}

/** What the fit makes of a forecast: the step it stands on, the first one below all of them. */
export function recalibrate({ x, y }: Isotonic, p: number): number {
  if (x.length === 0) return p
  let low = 0
  let high = x.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (x[middle] <= p) low = middle + 1
    else high = middle
  }
  return y[Math.max(0, low - 1)]
}
