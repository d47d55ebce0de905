import type { Cell, Comparison, Window } from '../../compare/comparison.ts'
import { percent, signed, utcMinute } from '../format.ts'
import { heading, item, paint, span, table, widthOf, type Ink, type Line } from '../terminal-layout.ts'
import { badgesText, baselineRows, calibrationLines, FIGURES, fixedAxes, honestLines, namesOf, pairKind, pairText, regretLines, type FigureColumn } from './wording.ts'

export interface ComparisonTerminalOptions {
  readonly colour: boolean
  readonly width: number
  /** Where the comparison was written. */
  readonly folder?: string
}

const BLANK: Line = []
const SHORTEST_NAME = 18
const MOST_PAIRS = 8

/** A comparison as a terminal shows it: warnings, a matrix per window with what may be believed of it, assumptions, files. */
export function renderComparison(comparison: Comparison, { colour, width, folder }: ComparisonTerminalOptions): string {
  const lines: Line[] = [heading(comparison.name, width)]
  const fixed = fixedAxes(comparison)
  if (fixed !== '') lines.push(...item('Everywhere', fixed, width, 'soft'))
  for (const warning of comparison.warnings) lines.push(...item('!', warning, width, 'warn'))
  for (const window of comparison.windows) lines.push(BLANK, ...windowLines(comparison, window, width))
  if (comparison.across.length > 0) {
    lines.push(BLANK, heading('Over all scenarios, overlapping days once', width))
    for (const one of comparison.across.slice(0, 12)) {
      const bounds = one.interval === null ? '' : ` [${signed(one.interval.low * 100, 4)}, ${signed(one.interval.high * 100, 4)}]`
      lines.push(...item('·', `${one.name}: ${signed(one.meanDaily * 100, 4)} % a day${bounds} on ${one.days} days of ${one.scenarios} scenarios`, width))
    }
  }
  lines.push(BLANK, heading('Assumptions', width))
  for (const assumption of comparison.assumptions) lines.push(...item('·', assumption, width, 'soft'))
  if (folder !== undefined) lines.push(BLANK, [span(`Files      ${folder}`)])
  return paint(lines, colour)
}

function windowLines(comparison: Comparison, window: Window, width: number): Line[] {
  const cells = comparison.cells.filter(({ scenario }) => scenario === window.scenario)
  const { columns, left } = columnsFor(cells, width)
  const head: Line[] = [[span('Cell', 'soft')], ...columns.map(({ title }) => [span(title, 'soft')])]
  const rows = cells.map((cell) => [[span(cell.name, cell.baseline ? 'soft' : undefined)], ...columns.map(({ key, text }) => [span(text(cell), inkOf(key, cell))])])
  const baselines = baselineRows(window).map(([name, value]) => [[span(name, 'soft')], [span(value)]])
  const body = table([head, ...rows, ...baselines], width)
  const lines: Line[] = [
    heading(`${window.scenario}  ${window.symbols.join(', ')} ${window.timeframe}  ${utcMinute(window.firstOpen)} … ${utcMinute(window.lastOpen)}`, width), body[0],
  ]
  for (const [index, cell] of cells.entries()) {
    lines.push(body[index + 1])
    if (cell.badges.length > 0) lines.push(...item('  ', badgesText(cell), width, 'soft'))
  }
  lines.push(...body.slice(cells.length + 1))
  lines.push(...item(' ', '★ best, ✓ significant, ? dubious: why stands below; [ ] is the interval of 95 %', width, 'soft'))
  if (left.length > 0) lines.push(...item(' ', `left out for want of room: ${left.map(({ title }) => title).join(', ')} (--markdown and the page have them)`, width, 'soft'))
  lines.push(BLANK, heading('What may be believed', width), ...honestLines(window, cells).flatMap((line, index) => item('·', line, width, index === 0 ? 'bold' : undefined)))
  lines.push(...doubtLines(cells, width), ...pairLines(comparison, cells, width))
  const calibration = calibrationLines(cells)
  if (calibration.length > 0) lines.push(BLANK, heading('Calibration, own answers only', width), ...calibration.flatMap((line) => item('·', line, width)))
  for (const one of comparison.disagreements.filter(({ scenario }) => scenario === window.scenario)) {
    lines.push(...item('·', `${one.a} and ${one.b} agree on ${percent(one.agreement, 0)} of ${one.decisions} decisions; where they do not, ${one.a} was right in ${percent(one.aRight, 0)}, ${one.b} in ${percent(one.bRight, 0)}`, width))
  }
  const best = cells.find(({ id }) => id === window.best)
  const regret = best === undefined ? [] : regretLines(best)
  if (regret.length > 0) lines.push(BLANK, heading(`What refusals of ${best!.name} would have earned`, width), ...regret.flatMap((line) => item('·', line, width)))
  return lines
}

/** Columns that fit beside a name; those that matter least go first. */
function columnsFor(cells: readonly Cell[], width: number): { readonly columns: readonly FigureColumn[]; readonly left: readonly FigureColumn[] } {
  const told = FIGURES.filter(({ key, rank, text }) => rank === 0 || key === 'ambiguous' || new Set(cells.map(text)).size > 1 || !/^(?:–|0|0 USD)$/.test(text(cells[0])))
  const widths = new Map(told.map((column) => [column, Math.max(widthOf([span(column.title)]), ...cells.map((cell) => widthOf([span(column.text(cell))])))]))
  const longest = Math.min(40, Math.max(...cells.map(({ name }) => name.length), SHORTEST_NAME))
  const kept = [...told]
  const needed = (): number => kept.reduce((sum, column) => sum + widths.get(column)! + 2, longest)
  while (needed() > width && kept.some(({ rank }) => rank > 0)) {
    const last = kept.reduce((most, column) => (column.rank > most.rank ? column : most))
    kept.splice(kept.indexOf(last), 1)
  }
  return { columns: kept, left: told.filter((column) => !kept.includes(column)) }
}

function inkOf(key: string, { netReturn, badges }: Cell): Ink | undefined {
  if (key !== 'netReturn') return undefined
  if (badges.some(({ kind }) => kind === 'dubious')) return 'warn'
  return netReturn > 0 ? 'up' : netReturn < 0 ? 'down' : undefined
}

/** Why cells are dubious or may remember: once for each reason, with the cells that it is about. */
function doubtLines(cells: readonly Cell[], width: number): Line[] {
  const reasons = new Map<string, string[]>()
  for (const { name, badges } of cells) {
    for (const { kind, why } of badges) if (/dubious|cut-off|simulated|significant/.test(kind)) reasons.set(`${kind}: ${why}`, [...(reasons.get(`${kind}: ${why}`) ?? []), name])
  }
  return [...reasons].flatMap(([reason, names]) => item('·', `${reason} (${names.length === cells.length ? 'all cells' : names.length > 3 ? `${names.length} cells` : names.join(', ')})`, width))
}

function pairLines(comparison: Comparison, cells: readonly Cell[], width: number): Line[] {
  const ids = new Set(cells.map(({ id }) => id))
  const pairs = comparison.pairs.filter(({ a }) => ids.has(a))
  if (pairs.length === 0) return []
  const nameOf = namesOf(comparison)
  const shown = pairs.slice(0, MOST_PAIRS)
  const more = pairs.length - shown.length
  return [
    BLANK, heading('Differences on the same days', width),
    ...shown.flatMap((pair) => item('·', `${nameOf(pair.a)} ${pairKind(pair)} ${nameOf(pair.b)}: ${pairText(pair)}`, width)),
    ...(more > 0 ? item(' ', `${more} more in comparison.json: ${tally(pairs.slice(MOST_PAIRS).map(({ verdict }) => verdict))}`, width, 'soft') : []),
  ]
}

const tally = (words: readonly string[]): string =>
  [...new Set(words)].map((word) => `${words.filter((one) => one === word).length} ${word}`).join(', ')

