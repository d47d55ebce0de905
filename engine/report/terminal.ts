import { EXIT_REASONS } from '../core/order.ts'
import { belowBreakEven, breakEvenVerdict, daysOf, EXIT_LABELS, pnlByReason, randomSpread, ranked, rehearsalFacts } from './facts.ts'
import {
  FIGURE_GROUPS, FIGURE_LABELS, figureText, whyUndefined, type FigureGroup, type FigureKey,
} from './figure-list.ts'
import {
  change, count, drawdownText, duration, fixed, gain, money, percent, plural, points, priceDecimals, quantity, utcMinute,
} from './format.ts'
import type { Baseline, ReportData } from './report-data.ts'
import { apart, beside, box, heading, item, paint, span, table, type Ink, type Line } from './terminal-layout.ts'
import { wrap } from './text.ts'

export interface TerminalOptions {
  readonly colour: boolean
  /** Columns of the terminal, at least 40. Wider than 112 is not used: figures far apart are hard to read. */
  readonly width: number
  readonly directory?: string | undefined
  readonly reportPath?: string | undefined
  readonly elapsed?: { readonly elapsedMs: number; readonly candlesPerSecond: number } | undefined
}

const GAP = 4
const TWO_COLUMNS = 76

const sign = (value: number | null): Ink | undefined =>
  value === null || value === 0 ? undefined : value > 0 ? 'up' : 'down'
const arrow = (value: number): string => (value > 0 ? '▲ ' : value < 0 ? '▼ ' : '')

function headline(data: ReportData, width: number): Line[] {
  const { finalEquity, totalReturn } = data.figures
  const worth = `${money(finalEquity, data.quote)} ${data.quote}`
  const name: Line = [
    span(data.name, 'bold'), ...(data.rehearsal === null ? [] : [span('  '), span('[Rehearsal]', 'bold')]),
    ...(data.interrupted ? [span('  '), span('! interrupted', 'warn')] : []),
  ]
  return box([
    apart(name, [span(worth, 'bold')], width - 4),
    apart(
      [span(`${data.symbols.join(', ')} · ${data.timeframe} · ${data.strategy}`)],
      [span(`${arrow(totalReturn)}${change(totalReturn)}`, sign(totalReturn))],
      width - 4,
    ),
    [span(`${utcMinute(data.firstOpen)} – ${utcMinute(data.lastOpen)} UTC, ${plural(daysOf(data), 'day')}`, 'soft')],
  ], width)
}

const SIGNED: ReadonlySet<FigureKey> = new Set<FigureKey>(['totalReturn', 'cagr', 'expectancy'])

function group(data: ReportData, { title, keys }: FigureGroup, width: number): Line[] {
  return [heading(title, width), ...keys.map((key) => apart(
    [span(FIGURE_LABELS[key].label)],
    [span(figureText(data.figures, key, data.quote), SIGNED.has(key) ? sign(data.figures[key]) : undefined)],
    width,
  ))]
}

function figures(data: ReportData, width: number, half: number): Line[] {
  const groups = FIGURE_GROUPS.map((each) => group(data, each, half))
  const undefinedOnes = FIGURE_GROUPS.flatMap(({ keys }) => keys).filter((key) => data.figures[key] === null)
  return [
    ...inPairs(groups, half, width),
    ...undefinedOnes.flatMap((key) =>
      item('–', `${FIGURE_LABELS[key].label}: ${whyUndefined(data.figures, key)}`, width, 'soft')),
  ]
}

/** Blocks two by two where there is room, else one below the other, with an empty line between them. */
function inPairs(blocks: readonly (readonly Line[])[], half: number, width: number): Line[] {
  const step = half === width ? 1 : 2
  const lines: Line[] = []
  for (let index = 0; index < blocks.length; index += step) {
    lines.push([], ...(step === 1 ? blocks[index] : beside(blocks[index], blocks[index + 1] ?? [], half, GAP)))
  }
  return lines
}

function baselines(data: ReportData, width: number): Line[] {
  const { buyAndHold, flat, random } = data.baselines
  const roomy = width >= 68
  const row = (name: string, result: Omit<Baseline, 'note'>, own: boolean): Line[] => {
    const ahead = own || result.totalReturn === null ? null : data.figures.totalReturn - result.totalReturn
    return [
      [span(name, own ? 'bold' : undefined)],
      [span(money(result.finalEquity, data.quote), own ? 'bold' : undefined)],
      [span(change(result.totalReturn), sign(result.totalReturn))],
      ...(roomy ? [[span(drawdownText(result.maxDrawdown))]] : []),
      own ? [] : [span(points(ahead), sign(ahead))],
    ]
  }
  const titles = ['', `Equity, ${data.quote}`, 'Return', ...(roomy ? ['Drawdown'] : []), 'Run ahead by']
  const rows: [string, Baseline][] = [['Buy and hold', buyAndHold], ['Flat', flat]]
  if (random) rows.push(['Random entries', random])
  const spread = random && randomSpread(random)
  return [
    [],
    heading('Against no skill', width),
    ...table([
      titles.map((title) => [span(title, 'soft')]),
      row('This run', data.figures, true),
      ...rows.map(([name, result]) => row(name, result, false)),
    ], width),
    ...rows.filter(([, { finalEquity }]) => finalEquity === null)
      .flatMap(([name, { note }]) => item('–', `${name}: ${note}`, width, 'soft')),
    ...(spread ? item('·', `Random entries: ${spread}.`, width, 'soft') : []),
    ...(data.bounds ? item('·', boundsLine(data.bounds, data), width, 'soft') : []),
  ]
}

const boundsLine = ({ conservative, optimistic }: NonNullable<ReportData['bounds']>, { quote }: ReportData): string => {
  const [low, high] = [money(conservative, quote), money(optimistic, quote)]
  return `Fill models bound the final equity between ${low} (conservative) and ${high} ${quote} (optimistic).`
}

function breakEven({ breakEven: line }: ReportData, width: number): Line[] {
  const below = belowBreakEven(line)
  const shares = [
    line.baseRate !== null && `without skill ${percent(line.baseRate)}`,
    line.breakEven !== null && `break-even ${percent(line.breakEven)}`,
    `threshold ${percent(line.minConfidence)}`,
  ]
  return [
    [],
    heading('Break-even', width),
    ...wrap(shares.filter((share) => share !== false).join(' · '), width).map((text) => [span(text)]),
    ...item(below ? '!' : '·', breakEvenVerdict(line), width, below ? 'warn' : 'soft'),
  ]
}

function exits(data: ReportData, width: number): Line[] {
  const sums = pnlByReason(data)
  const reasons = EXIT_REASONS.filter((reason) => data.exits[reason] > 0)
  const total = reasons.reduce((sum, reason) => sum + data.exits[reason], 0)
  const rows = reasons.map((reason) => {
    const pnl = sums.get(reason) ?? null
    return [
      [span(EXIT_LABELS[reason])], [span(count(data.exits[reason]))], [span(percent(data.exits[reason] / total, 1))],
      [span(gain(pnl, data.quote), sign(pnl))],
    ]
  })
  return [heading('Exits by reason', width), ...(rows.length === 0 ? [[span('none', 'soft')]] : table(rows, width))]
}

function decisions(title: string, counts: Readonly<Record<string, number>>, total: number, width: number): Line[] {
  const rows = ranked(counts).map(([name, n]) =>
    [[span(name)], [span(count(n))], [span(percent(total === 0 ? null : n / total, 1))]])
  return [heading(title, width), ...(rows.length === 0 ? [[span('none', 'soft')]] : table(rows, width))]
}

function openAtTheEnd({ open, quote }: ReportData, width: number): Line[] {
  if (open.length === 0) return []
  return [[], heading('Open at the end', width), ...open.flatMap(({ symbol, entryTime, entryPrice, quantity: units, price, unrealised }) => {
    const digits = priceDecimals([price])
    return item('·', `${symbol}: ${quantity(units)} since ${utcMinute(entryTime)} at ${fixed(entryPrice, digits)}; `
      + `last close ${fixed(price, digits)}, unrealised ${gain(unrealised, quote)} ${quote}`, width)
  })]
}

function rehearsal({ rehearsal: course }: ReportData, width: number): Line[] {
  if (course === null) return []
  return [[], heading('Rehearsal', width), ...rehearsalFacts(course).flatMap(([name, text]) => item('·', `${name}: ${text}`, width))]
}

function ending(data: ReportData, options: TerminalOptions): Line[] {
  const { elapsed, reportPath, directory } = options
  const lines: Line[] = [[span('Run        ', 'soft'), span(data.run)]]
  if (elapsed) {
    const speed = `${count(elapsed.candlesPerSecond)} candles/s`
    lines.push([span('Time       ', 'soft'), span(`${duration(elapsed.elapsedMs)} in the loop, ${speed}`)])
  }
  // Paths are never wrapped or cut, so that they can be copied.
  if (directory !== undefined) lines.push([span('Directory  ', 'soft'), span(directory)])
  if (reportPath !== undefined) lines.push([span('Report     ', 'soft'), span(reportPath)])
  return [[], ...lines]
}

/** A run's figures for a terminal, without a final line break. Only paths and other long words exceed the width. */
export function renderTerminal(data: ReportData, options: TerminalOptions): string {
  const width = Math.min(112, Math.max(40, Math.floor(options.width)))
  const half = width < TWO_COLUMNS ? width : Math.floor((width - GAP) / 2)
  const { byStatus, byReason, byProvider, total } = data.decisions
  return paint([
    ...headline(data, width),
    ...data.warnings.flatMap((warning) => item('!', warning, width, 'warn')),
    ...rehearsal(data, width),
    ...openAtTheEnd(data, width),
    ...figures(data, width, half),
    ...baselines(data, width),
    ...breakEven(data, width),
    ...inPairs([
      exits(data, half),
      decisions('Decisions by status', byStatus, total, half),
      decisions('Decisions by reason', byReason, total, half),
      decisions('Decisions by provider', byProvider, total, half),
    ], half, width),
    [],
    heading(`Assumptions (${data.assumptions.length})`, width),
    ...data.assumptions.flatMap((line) => item('·', line, width, 'soft')),
    ...ending(data, options),
  ], options.colour)
}
