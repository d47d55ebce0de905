import type { Badge, Cell } from '../../compare/comparison.ts'
import { change, count, duration, percent, ratio, signed, usd } from '../format.ts'

/** `[-0.41, +2.90]`, in percent like the figure before it. */
export const bracket = ({ low, high }: { readonly low: number; readonly high: number }, digits = 2): string =>
  `[${signed(low * 100, digits)}, ${signed(high * 100, digits)}]`

/** `+1.23 % [-0.41, +2.90]`, or what stands where an interval cannot. */
export const returnText = ({ netReturn, interval, tooShort }: Pick<Cell, 'netReturn' | 'interval' | 'tooShort'>): string =>
  `${change(netReturn)} ${interval !== null ? bracket(interval) : tooShort !== null ? '(too short)' : '(no interval)'}`

const ambiguousText = ({ ambiguousCandles, bounds }: Cell): string =>
  bounds === null ? count(ambiguousCandles) : `${count(ambiguousCandles)} ${bracket({ low: bounds.conservative, high: bounds.optimistic })}`

export interface Column {
  readonly key: string
  readonly title: string
  /** One line: what the number is. */
  readonly meaning: string
  readonly text: (cell: Cell) => string
  /** What it is sorted by. */
  readonly value: (cell: Cell) => number | null
  readonly signed?: true
  /** 0 = always there; else the column with the highest number is left out first where there is no room. */
  readonly leave: number
}

/** Every figure of the matrix, each worded here alone. */
export const COLUMNS: readonly Column[] = [
  {
    key: 'netReturn', title: 'Net return', leave: 0, signed: true,
    meaning: 'Final equity ÷ starting cash − 1, after all costs but the AI’s, with its 95 % interval.',
    text: returnText,
    value: ({ netReturn }) => netReturn,
  },
  {
    key: 'trades', title: 'Trades', leave: 0,
    meaning: 'Closed round trips.',
    text: ({ figures }) => count(figures.trades),
    value: ({ figures }) => figures.trades,
  },
  {
    key: 'maxDrawdown', title: 'Drawdown', leave: 1,
    meaning: 'Deepest fall from a peak, measured at every candle close.',
    text: ({ figures }) => percent(figures.maxDrawdown),
    value: ({ figures }) => figures.maxDrawdown,
  },
  {
    key: 'sharpe', title: 'Sharpe', leave: 2,
    meaning: 'Mean daily return ÷ its standard deviation × √365.',
    text: ({ figures }) => ratio(figures.sharpe),
    value: ({ figures }) => figures.sharpe,
  },
  {
    key: 'skill', title: 'Brier skill', leave: 3,
    meaning: '1 − Brier score ÷ that of always saying the base rate; above 0 the confidences tell something.',
    text: ({ calibration }) => signed(calibration.skill, 3),
    value: ({ calibration }) => calibration.skill,
  },
  {
    key: 'coverage', title: 'Coverage', leave: 4,
    meaning: 'Share of scored entries that pass the threshold.',
    text: ({ coverage }) => percent(coverage, 1),
    value: ({ coverage }) => coverage,
  },
  {
    key: 'aiCost', title: 'AI cost', leave: 6,
    meaning: 'What the answers cost at the providers; not part of the return.',
    text: ({ aiCost }) => usd(aiCost),
    value: ({ aiCost }) => aiCost,
  },
  {
    key: 'latencyP95', title: 'p95 latency', leave: 7,
    meaning: '95 % of answers came at least as fast.',
    text: ({ latencyP95 }) => (latencyP95 === null ? '–' : duration(latencyP95)),
    value: ({ latencyP95 }) => latencyP95,
  },
  {
    key: 'ambiguous', title: 'Ambiguous', leave: 5,
    meaning: 'Exits in a candle that touched stop and target, with the net return under the most and the least careful fill model, in percent.',
    text: ambiguousText,
    value: ({ ambiguousCandles }) => ambiguousCandles,
  },
  {
    key: 'random', title: 'Beats random', leave: 8,
    meaning: 'Share of random-entry runs with the same exits and number of trades that did worse.',
    text: ({ random }) => percent(random === null ? null : random.percentile, 1),
    value: ({ random }) => (random === null ? null : random.percentile),
  },
]

/** A sign for every badge, so that a mark needs no colour. */
export const MARKS: Readonly<Record<Badge['kind'], string>> = {
  best: '★', significant: '✓', dubious: '?', 'too short': '<', 'before cut-off': '◁', 'after cut-off': '▷', 'spans cut-off': '◇',
  'cut-off unknown': '¿', baseline: '=', simulated: '~',
}

export const badgeText = ({ kind }: Badge): string => `${MARKS[kind]} ${kind}`

export const badgesText = ({ badges }: Cell): string => badges.map(badgeText).join(', ')

export interface BadgeNote {
  readonly kind: Badge['kind']
  readonly why: string
  readonly cells: number
}

/** Why badges were given, each reason once, by kind in the order of {@link MARKS}. */
export function badgeNotes(cells: readonly Cell[]): BadgeNote[] {
  const notes = new Map<string, { kind: Badge['kind']; why: string; cells: number }>()
  for (const { kind, why } of cells.flatMap(({ badges }) => badges)) {
    const note = notes.get(`${kind} ${why}`) ?? { kind, why, cells: 0 }
    note.cells++
    notes.set(`${kind} ${why}`, note)
  }
  const order = Object.keys(MARKS)
  return [...notes.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
}
