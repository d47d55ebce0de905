import type { Figures } from '../core/figures.ts'
import { change, count, fixed, money, percent, ratio } from './format.ts'

export type FigureKey = Exclude<keyof Figures, 'undefinedBecause'>

/** `quote` is an amount in the run's quote currency, `usd` in dollars; `change` shows a plus sign, `share` does not. */
type Unit = 'quote' | 'usd' | 'change' | 'share' | 'ratio' | 'times' | 'count'

export interface FigureLabel {
  readonly label: string
  readonly unit: Unit
  /** One line: what the number is. */
  readonly meaning: string
}

/** The name and meaning of every figure. A new figure does not compile until it has a line here. */
export const FIGURE_LABELS: Readonly<Record<FigureKey, FigureLabel>> = {
  finalEquity: {
    label: 'Final equity',
    unit: 'quote',
    meaning: 'Cash and positions at the last candle, after all costs.',
  },
  totalReturn: { label: 'Total return', unit: 'change', meaning: 'Final equity ÷ starting cash − 1.' },
  cagr: {
    label: 'CAGR',
    unit: 'change',
    meaning: 'Growth per year that gives the same total return, over 365-day years.',
  },
  expectancy: {
    label: 'Expectancy per trade',
    unit: 'change',
    meaning: 'Mean net return of a trade; net return = profit after costs ÷ money spent.',
  },
  annualVolatility: {
    label: 'Volatility, annual',
    unit: 'share',
    meaning: 'Standard deviation of daily returns × √365.',
  },
  sharpe: {
    label: 'Sharpe ratio',
    unit: 'ratio',
    meaning: 'Mean daily return ÷ its standard deviation × √365, without a risk-free rate.',
  },
  sortino: { label: 'Sortino ratio', unit: 'ratio', meaning: 'Like Sharpe, but only falling days count as risk.' },
  calmar: {
    label: 'Calmar ratio',
    unit: 'ratio',
    meaning: 'Yearly growth of the daily equity ÷ its deepest daily drawdown.',
  },
  maxDrawdown: {
    label: 'Max drawdown',
    unit: 'share',
    meaning: 'Deepest fall from a peak, measured at every candle close.',
  },
  maxDrawdownDaily: {
    label: 'Max drawdown, daily',
    unit: 'share',
    meaning: 'Deepest fall from a peak, measured at the end of each UTC day.',
  },
  exposure: { label: 'Exposure', unit: 'share', meaning: 'Share of candles that closed with a position held.' },
  trades: { label: 'Trades', unit: 'count', meaning: 'Closed round trips.' },
  winRate: { label: 'Win rate', unit: 'share', meaning: 'Share of trades that made money after costs.' },
  profitFactor: { label: 'Profit factor', unit: 'ratio', meaning: 'Money won ÷ money lost.' },
  profitFactorNet: {
    label: 'Profit factor, net returns',
    unit: 'ratio',
    meaning: 'Sum of positive net returns ÷ sum of negative ones: every trade weighs the same.',
  },
  averageWin: { label: 'Average win', unit: 'change', meaning: 'Mean net return of the trades that won.' },
  averageLoss: { label: 'Average loss', unit: 'change', meaning: 'Mean net return of the trades that lost.' },
  sqn: {
    label: 'SQN',
    unit: 'ratio',
    meaning: 'System quality number: √trades × mean ÷ standard deviation of net returns.',
  },
  longestLosingStreak: { label: 'Longest losing streak', unit: 'count', meaning: 'Most losing trades in a row.' },
  fees: { label: 'Fees', unit: 'quote', meaning: 'Paid on all fills, both sides.' },
  slippage: { label: 'Slippage', unit: 'quote', meaning: 'Lost on all fills against the price without slippage.' },
  aiCost: { label: 'AI cost', unit: 'usd', meaning: 'What the answers cost at the providers; not part of the equity.' },
  returnNetOfAi: {
    label: 'Return net of AI cost', unit: 'change', meaning: 'Total return after what the answers cost, one USD taken for one of quote.',
  },
  turnover: {
    label: 'Turnover',
    unit: 'times',
    meaning: 'Money bought and sold for, in multiples of the mean daily equity.',
  },
  coverage: { label: 'AI coverage', unit: 'share', meaning: 'Share of decisions that an AI was to be asked about and really answered.' },
  ambiguousCandles: {
    label: 'Ambiguous candles',
    unit: 'count',
    meaning: 'Exits in a candle that touched stop and target, so that the fill model decided.',
  },
  candles: { label: 'Candles read', unit: 'count', meaning: 'Of all symbols, warm-up included.' },
}

export interface FigureGroup {
  readonly title: string
  readonly keys: readonly FigureKey[]
}

/** Every figure, in the order of the question it answers. */
export const FIGURE_GROUPS: readonly FigureGroup[] = [
  { title: 'Result', keys: ['finalEquity', 'totalReturn', 'cagr', 'expectancy', 'averageWin', 'averageLoss'] },
  {
    title: 'Risk',
    keys: ['maxDrawdown', 'maxDrawdownDaily', 'annualVolatility', 'sharpe', 'sortino', 'calmar', 'exposure'],
  },
  { title: 'Trades', keys: ['trades', 'winRate', 'profitFactor', 'profitFactorNet', 'sqn', 'longestLosingStreak'] },
  {
    title: 'Costs and data',
    keys: ['fees', 'slippage', 'turnover', 'aiCost', 'returnNetOfAi', 'coverage', 'ambiguousCandles', 'candles'],
  },
]

/** A figure as text with its unit, `–` when undefined. Drawdowns carry their own minus sign. */
export function figureText(figures: Figures, key: FigureKey, quote: string): string {
  const value = figures[key]
  switch (FIGURE_LABELS[key].unit) {
    case 'quote': return value === null ? money(value, quote) : `${money(value, quote)} ${quote}`
    case 'usd': return value === null ? fixed(value, 2) : `${fixed(value, 2)} USD`
    case 'change': return change(value)
    case 'share': return percent(value)
    case 'ratio': return ratio(value)
    case 'times': return value === null ? ratio(value) : `${ratio(value)} ×`
    case 'count': return count(value)
  }
}

/** Why a figure is undefined, or null when it has a value. */
export const whyUndefined = (figures: Figures, key: FigureKey): string | null =>
  figures[key] === null ? figures.undefinedBecause[key] ?? 'undefined for this run' : null
