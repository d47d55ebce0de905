import { deviation, type Series } from '../metrics.ts'

/** More blocks give more splits and shorter halves; 16 give 12,870. */
const BLOCKS = 16

export interface Overfitting {
  /** Share of splits in which the best of one half was at or below the middle of the other. */
  readonly probability: number
  /** ln(ω ÷ (1 − ω)) of the in-sample best's out-of-sample rank ω, split by split in lexicographic order of the in-sample blocks. */
  readonly logits: Float64Array
  /** Columns that were left out since they do not vary. */
  readonly left: number
  readonly blocks: number
}

/**
 * Probability of backtest overfitting by combinatorially symmetric cross-validation (D. H. Bailey, J. Borwein, M. López de Prado
 * & Q. J. Zhu, 2015). `columns` are returns of equal length, one per configuration; the measure is mean ÷ standard deviation.
 * Rows that do not fill the blocks evenly are left out at the end. Null with fewer than 2 columns that vary, or too few rows.
 */
export function probabilityOfOverfitting(columns: readonly Series[], blocks = BLOCKS): Overfitting | null {
  const varying = columns.filter((column) => deviation(column))
  if (varying.length < 2) return null
  const rows = Math.min(...varying.map(({ length }) => length))
  let even = blocks - (blocks % 2)
  while (even > 2 && rows < even * 2) even -= 2
  if (even < 2 || rows < even * 2) return null
  const size = Math.floor(rows / even)
  const sums = varying.map((column) => blockSums(column, even, size))
  const splits = combinations(even, even / 2)
  const logits = new Float64Array(splits.length)
  const inside = new Float64Array(varying.length)
  const outside = new Float64Array(varying.length)
  let low = 0
  for (const [split, chosen] of splits.entries()) {
    for (let column = 0; column < varying.length; column++) {
      measure(sums[column], chosen, size, column, inside, outside)
    }
    let best = 0
    for (let column = 1; column < varying.length; column++) if (inside[column] > inside[best]) best = column
    const share = rankOf(outside, best) / (varying.length + 1)
    logits[split] = Math.log(share / (1 - share))
    if (logits[split] <= 1e-12) low++
  }
  return { probability: low / splits.length, logits, left: columns.length - varying.length, blocks: even }
}

interface Sums {
  readonly sum: Float64Array
  readonly squares: Float64Array
  readonly count: number
}

function blockSums(column: Series, blocks: number, size: number): Sums {
  const sum = new Float64Array(blocks)
  const squares = new Float64Array(blocks)
  for (let block = 0; block < blocks; block++) {
    for (let row = block * size; row < (block + 1) * size; row++) {
      sum[block] += column[row]
      squares[block] += column[row] * column[row]
    }
  }
  return { sum, squares, count: blocks }
}

/** mean ÷ sample deviation of the chosen blocks and of the others, from sums, so that a split costs no look at the rows. */
function measure({ sum, squares, count }: Sums, chosen: number, size: number, column: number, inside: Float64Array, outside: Float64Array): void {
  let [sumIn, squaresIn, sumOut, squaresOut] = [0, 0, 0, 0]
  for (let block = 0; block < count; block++) {
    if ((chosen & (1 << block)) !== 0) {
      sumIn += sum[block]
      squaresIn += squares[block]
    } else {
      sumOut += sum[block]
      squaresOut += squares[block]
    }
  }
  const rows = (size * count) / 2
  inside[column] = ratio(sumIn, squaresIn, rows)
  outside[column] = ratio(sumOut, squaresOut, rows)
}

/** A half in which nothing varies did nothing: it is worth 0, which is better than losing and worse than winning. */
function ratio(sum: number, squares: number, rows: number): number {
  const centre = sum / rows
  const variance = (squares - rows * centre * centre) / (rows - 1)
  return variance > squares * 1e-12 ? centre / Math.sqrt(variance) : 0
}

/** Rank from 1 (worst), the mean of the ranks that equal values share. */
function rankOf(values: Float64Array, which: number): number {
  let below = 0
  let equal = 0
  for (let index = 0; index < values.length; index++) {
    if (values[index] < values[which]) below++
    else if (values[index] === values[which]) equal++
  }
  return below + (equal + 1) / 2
}

/** Bit masks of all choices of `k` out of `n`, in lexicographic order. */
function combinations(n: number, k: number): number[] {
  const masks: number[] = []
  const choose = (from: number, left: number, mask: number): void => {
    if (left === 0) {
      masks.push(mask)
      return
    }
    for (let index = from; index <= n - left; index++) choose(index + 1, left - 1, mask | (1 << index))
  }
  choose(0, k, 0)
  return masks
}
