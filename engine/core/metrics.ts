import type { Figures, LaneMeasures, TradeColumns } from './figures.ts'
import { DAY_MS } from './time.ts'

/** A series of numbers: a plain array or a column. */
export type Series = ArrayLike<number>

/** Crypto trades every day. */
const DAYS_A_YEAR = 365

/** Quotients of two equities near each other are this coarse, so returns that differ by less are the same return. */
const RETURN_NOISE = 4 * Number.EPSILON

/** A number, or null where it is undefined or too large to be one. */
const known = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** Arithmetic mean; NaN without values. */
export function mean(values: Series): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum / values.length
}

/**
 * Sample standard deviation √(Σ(x − mean)² ÷ (n − 1)), in two passes, so that a large mean costs no digits. Exactly 0
 * when the values do not vary; null with fewer than 2, or when one is not a number.
 */
export function deviation(values: Series): number | null {
  if (values.length < 2) return null
  const centre = mean(values)
  let squares = 0
  let least = Infinity
  let most = -Infinity
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    squares += (value - centre) * (value - centre)
    if (value < least) least = value
    if (value > most) most = value
  }
  const std = known(Math.sqrt(squares / (values.length - 1)))
  return std !== null && most - least <= RETURN_NOISE ? 0 : std
}

/** Simple returns eₜ/eₜ₋₁ − 1 of an equity curve; one fewer than it has values. */
export function dailyReturns(equity: Series): Float64Array {
  const returns = new Float64Array(Math.max(0, equity.length - 1))
  for (let i = 0; i < returns.length; i++) returns[i] = equity[i + 1] / equity[i] - 1
  return returns
}

/** What 1 becomes under the returns: ∏(1 + r). */
export function growth(returns: Series): number {
  let product = 1
  for (let i = 0; i < returns.length; i++) product *= 1 + returns[i]
  return product
}

/**
 * Compound annual growth rate (end/start)^(365 d ÷ elapsed) − 1, as a fraction. Null when no time passed, when the end
 * is negative, or when the span is too short for the power to be a number.
 */
export function cagr(start: number, end: number, elapsedMs: number): number | null {
  if (!(elapsedMs > 0) || !(start > 0) || end < 0) return null
  return known((end / start) ** ((DAYS_A_YEAR * DAY_MS) / elapsedMs) - 1)
}

/** std(r)·√periods, the sample standard deviation of returns in a year. Null with fewer than 2 returns. */
export function annualVolatility(returns: Series, periodsPerYear = DAYS_A_YEAR): number | null {
  const std = deviation(returns)
  return std === null ? null : std * Math.sqrt(periodsPerYear)
}

/**
 * Sharpe ratio mean(r)/std(r)·√periods, sample standard deviation, risk-free rate 0 (W. F. Sharpe, "The Sharpe Ratio",
 * 1994; as in quantopian/empyrical). Null with fewer than 2 returns, or when they do not vary.
 */
export function sharpe(returns: Series, periodsPerYear = DAYS_A_YEAR): number | null {
  const std = deviation(returns)
  return std ? known((mean(returns) / std) * Math.sqrt(periodsPerYear)) : null
}

/** √(mean of min(r, 0)²)·√periods over all returns, the losing and the others. Null without returns. */
export function downsideDeviation(returns: Series, periodsPerYear = DAYS_A_YEAR): number | null {
  let squares = 0
  for (let i = 0; i < returns.length; i++) if (returns[i] < 0) squares += returns[i] * returns[i]
  return known(Math.sqrt(squares / returns.length) * Math.sqrt(periodsPerYear))
}

/**
 * Sortino ratio mean(r)·periods ÷ downside deviation, required return 0 (F. A. Sortino & L. N. Price, "Performance
 * Measurement in a Downside Risk Framework", 1994; as in quantopian/empyrical). Null with fewer than 2 returns, or when
 * none is negative.
 */
export function sortino(returns: Series, periodsPerYear = DAYS_A_YEAR): number | null {
  const downside = downsideDeviation(returns, periodsPerYear)
  return returns.length >= 2 && downside ? known((mean(returns) * periodsPerYear) / downside) : null
}

/** The deepest equity ÷ running peak − 1, as a fraction ≤ 0. Null with fewer than 2 values. */
export function maxDrawdown(equity: Series): number | null {
  if (equity.length < 2) return null
  let peak = equity[0]
  let deepest = 0
  for (let i = 1; i < equity.length; i++) {
    if (equity[i] > peak) peak = equity[i]
    else deepest = Math.min(deepest, equity[i] / peak - 1)
  }
  return known(deepest)
}

/**
 * Calmar ratio (∏(1 + r)^(periods ÷ n) − 1) ÷ |drawdown| (T. W. Young, "Calmar Ratio: A Smoother Tool", 1991; as in
 * quantopian/empyrical: over the whole series). Null without returns or without a drawdown.
 */
export function calmar(returns: Series, drawdown: number | null, periodsPerYear = DAYS_A_YEAR): number | null {
  if (returns.length === 0 || !drawdown) return null
  return known((growth(returns) ** (periodsPerYear / returns.length) - 1) / Math.abs(drawdown))
}

/** netReturn of every trade: pnl ÷ cost, both after fees. */
export function netReturns({ length, pnl, cost }: Pick<TradeColumns, 'length' | 'pnl' | 'cost'>): Float64Array {
  const returns = new Float64Array(length)
  for (let i = 0; i < length; i++) returns[i] = pnl[i] / cost[i]
  return returns
}

/** Share of trades that won (result > 0), as a fraction. Null without trades. */
export function winRate(results: Series): number | null {
  return known(count(results, 1) / results.length)
}

/** Σ gains ÷ Σ losses. Null without a losing trade. */
export function profitFactor(results: Series): number | null {
  let gains = 0
  let losses = 0
  for (let i = 0; i < results.length; i++) {
    if (results[i] > 0) gains += results[i]
    else losses -= results[i]
  }
  return losses > 0 ? known(gains / losses) : null
}

/** Mean netReturn of a trade, as a fraction of what it cost. Null without trades. */
export function expectancy(returns: Series): number | null {
  return known(mean(returns))
}

/** Mean of the returns with the sign: 1 = winners, −1 = losers. Null without any. */
export function averageOf(returns: Series, sign: 1 | -1): number | null {
  let sum = 0
  for (let i = 0; i < returns.length; i++) if (returns[i] * sign > 0) sum += returns[i]
  return known(sum / count(returns, sign))
}

/**
 * System quality number √n·mean/std of netReturn, sample standard deviation (V. K. Tharp, "Definitive Guide to Position
 * Sizing", 2008, with returns for R multiples). Null with fewer than 2 trades, or when they do not vary.
 */
export function sqn(returns: Series): number | null {
  const std = deviation(returns)
  return std ? known((Math.sqrt(returns.length) * mean(returns)) / std) : null
}

/** The most losing trades (result < 0) in a row, in the order they were closed. */
export function longestLosingStreak(results: Series): number {
  let longest = 0
  let streak = 0
  for (let i = 0; i < results.length; i++) {
    streak = results[i] < 0 ? streak + 1 : 0
    if (streak > longest) longest = streak
  }
  return longest
}

function count(values: Series, sign: 1 | -1): number {
  let found = 0
  for (let i = 0; i < values.length; i++) if (values[i] * sign > 0) found++
  return found
}

/**
 * Quote bought and sold over the whole run ÷ mean daily equity: 2 = everything was bought once and sold once. Not
 * annualised. Null without a daily equity above 0.
 */
export function turnover(traded: number, dailyEquity: Series): number | null {
  const equity = mean(dailyEquity)
  return equity > 0 ? known(traded / equity) : null
}

/** Share of the tape's candles that closed with a position held. Null without candles. */
export const exposure = (inPosition: number, moments: number): number | null => known(inPosition / moments)

/** Every figure of a run. What is undefined is null, and `undefinedBecause` has a reason under the figure's name. */
export function computeFigures(measures: LaneMeasures): Figures {
  const { startCash, finalEquity, dailyEquity, trades } = measures
  const returns = dailyReturns(dailyEquity)
  const pnl = trades.pnl.subarray(0, trades.length)
  const net = netReturns(trades)
  const drawdown = maxDrawdown(dailyEquity)
  const undefinedBecause: Record<string, string> = {}
  const or = (name: keyof Figures, value: number | null, ...reasons: (string | false)[]): number | null => {
    if (value === null) undefinedBecause[name] = reasons.find((reason) => reason !== false) ?? 'too large for a number'
    return value
  }
  const elapsed = measures.lastOpen - measures.firstOpen
  const noTime = !(elapsed > 0) && 'no time passed'
  const broke = dailyEquity.some((equity) => !(equity > 0)) && 'equity fell to 0'
  const noDays = returns.length === 0 && 'fewer than 2 days'
  const fewDays = returns.length < 2 && 'fewer than 2 daily returns'
  const noTrades = trades.length === 0 && 'no closed trades'
  const fewTrades = trades.length < 2 && 'fewer than 2 closed trades'
  const noLoss = count(pnl, -1) === 0 && 'no losing trade'
  return {
    finalEquity,
    totalReturn: finalEquity / startCash - 1,
    cagr: or('cagr', cagr(startCash, finalEquity, elapsed), noTime, finalEquity < 0 && 'equity fell below 0'),
    annualVolatility: or('annualVolatility', annualVolatility(returns), fewDays, broke),
    sharpe: or('sharpe', sharpe(returns), fewDays, broke, deviation(returns) === 0 && 'returns do not vary'),
    sortino: or('sortino', sortino(returns), fewDays, broke, 'no losing day'),
    maxDrawdown: measures.maxDrawdown,
    maxDrawdownDaily: or('maxDrawdownDaily', drawdown, noDays, broke),
    calmar: or('calmar', calmar(returns, drawdown), noDays, broke, drawdown === 0 && 'no drawdown'),
    exposure: or('exposure', exposure(measures.momentsInPosition, measures.moments), 'no candles'),
    turnover: or('turnover', turnover(measures.traded, dailyEquity), 'no equity'),
    trades: trades.length,
    winRate: or('winRate', winRate(pnl), noTrades),
    profitFactor: or('profitFactor', profitFactor(pnl), noTrades, noLoss),
    profitFactorNet: or('profitFactorNet', profitFactor(net), noTrades, noLoss),
    expectancy: or('expectancy', expectancy(net), noTrades),
    averageWin: or('averageWin', averageOf(net, 1), noTrades, 'no winning trade'),
    averageLoss: or('averageLoss', averageOf(net, -1), noTrades, noLoss),
    sqn: or('sqn', sqn(net), fewTrades, 'trades do not vary'),
    longestLosingStreak: longestLosingStreak(pnl),
    fees: measures.fees,
    slippage: measures.slippage,
    aiCost: measures.aiCost,
    returnNetOfAi: (finalEquity - measures.aiCost) / startCash - 1,
    coverage: or('coverage', measures.coverage, 'no decision that an AI was to be asked about'),
    ambiguousCandles: measures.ambiguousCandles,
    candles: measures.candles,
    undefinedBecause,
  }
}

/** Warnings about figures that no honest run reaches: CAGR over 10,000 %, Sharpe over 10. */
export function implausible({ cagr, sharpe }: Pick<Figures, 'cagr' | 'sharpe'>): string[] {
  const warnings: string[] = []
  if (cagr !== null && cagr > 100) warnings.push(`CAGR of ${Math.round(cagr * 100)} % is implausible: over 10,000 %`)
  if (sharpe !== null && sharpe > 10) warnings.push(`Sharpe ratio of ${sharpe.toFixed(2)} is implausible: over 10`)
  return warnings
}

/**
 * Return of every calendar month (UTC): its last equity ÷ the last one before it (the start cash for the first) − 1.
 * `firstDay` is days since 1970-01-01. Ends with the month in which equity fell to 0, if it did.
 */
export function monthlyReturns(
  dailyEquity: Float64Array, firstDay: number, startCash: number,
): { month: string; return: number }[] {
  const months: { month: string; return: number }[] = []
  let before = startCash
  for (let i = 0; i < dailyEquity.length && before > 0; i++) {
    const month = monthOf(firstDay + i)
    if (i + 1 < dailyEquity.length && monthOf(firstDay + i + 1) === month) continue
    months.push({ month, return: dailyEquity[i] / before - 1 })
    before = dailyEquity[i]
  }
  return months
}

/** `YYYY-MM` of a day since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days). */
function monthOf(day: number): string {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const march = Math.floor((5 * dayOfYear + 2) / 153)
  const month = march < 10 ? march + 3 : march - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}`
}
