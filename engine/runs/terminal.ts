import type { Figures } from '../core/figures.ts'
import { FIGURE_GROUPS, FIGURE_LABELS, figureText, whyUndefined, type FigureKey } from '../report/figure-list.ts'
import { change, count, drawdownText, fixed, gain, money, percent, plural, utcMinute } from '../report/format.ts'
import type { ComparedRun } from '../report/side-by-side.ts'
import { apart, heading, item, paint, span, table, type Ink, type Line } from '../report/terminal-layout.ts'
import { bytesText } from './delete.ts'
import type { DecisionMark, RunDifference, TradeRow } from './diff.ts'
import type { ListedRun } from './list.ts'
import { settingText, type Setting } from './settings.ts'
import type { ShownRun } from './show.ts'

export interface Page {
  readonly colour: boolean
  readonly width: number
}

const sign = (value: number | null): Ink | undefined => (value === null || value === 0 ? undefined : value > 0 ? 'up' : 'down')
const BAD_STATES = new Set(['crashed', 'interrupted', 'running', 'stopped'])

/** Runs in columns. On a narrow terminal each run has a second line for what it was about. */
export function renderList(runs: readonly ListedRun[], { colour, width }: Page): string {
  const wide = width >= 116
  const titles = ['Run', 'Kind', 'State', ...(wide ? ['Market', 'Span'] : []), 'Return', 'Trades', 'Drawdown', 'Started, UTC']
  const rows = runs.map((run): Line[] => [
    [span(run.run, 'bold')], [span(run.kind)], [span(run.state, BAD_STATES.has(run.state) ? 'warn' : undefined)],
    ...(wide ? [[span(marketOf(run))], [span(spanOf(run))]] : []),
    [span(change(run.netReturn), sign(run.netReturn))],
    [span(run.trades === null ? (run.cells === null ? '–' : plural(run.cells, 'cell')) : count(run.trades))],
    [span(drawdownText(run.maxDrawdown))], [span(run.startedAt === null ? '–' : run.startedAt.slice(0, 16).replace('T', ' '))],
  ])
  if (wide) return paint(table([titles.map((title): Line => [span(title, 'soft')]), ...rows], width), colour)
  return paint(runs.flatMap((run, index) => [...(index === 0 ? [] : [[]]), ...narrow(run, width)]), colour)
}

/** The id stands whole, so that it can be copied. */
function narrow(run: ListedRun, width: number): Line[] {
  const { netReturn, state, kind, trades, cells, maxDrawdown, startedAt } = run
  const about = [run.scenario, marketOf(run), spanOf(run)].filter((part) => part !== null && part !== '').join(' · ')
  const came = [trades === null ? '' : plural(trades, 'trade'), cells === null ? '' : plural(cells, 'cell'),
    maxDrawdown === null ? '' : `drawdown ${drawdownText(maxDrawdown)}`, startedAt === null ? '' : `started ${startedAt.slice(0, 16).replace('T', ' ')}`]
  return [
    apart([span(run.run, 'bold')], [span(change(netReturn), sign(netReturn))], width),
    [span('  '), span(kind), span(' '), span(state, BAD_STATES.has(state) ? 'warn' : undefined), span(about === '' ? '' : ` · ${about}`, 'soft')],
    [span(`  ${came.filter((part) => part !== '').join(' · ')}`, 'soft')],
  ]
}

const marketOf = ({ symbols, timeframe }: ListedRun): string =>
  [symbols.length > 2 ? `${symbols[0]} and ${symbols.length - 1} more` : symbols.join(', '), timeframe ?? ''].filter((part) => part !== '').join(' ')
const spanOf = ({ from, to }: ListedRun): string => (from === null || to === null ? '' : `${from} – ${to}`)

/** A name beside its value, the names in a column. */
function pairs(rows: readonly (readonly [string, string])[], width: number): Line[] {
  const column = Math.max(0, ...rows.map(([name]) => name.length)) + 2
  return rows.flatMap(([name, value]) => item(name.padEnd(column - 1), value, width))
}

const settingsLines = (settings: readonly Setting[], width: number): Line[] =>
  pairs(settings.map(({ path, value }) => [path, settingText(value)] as const), width)

export function renderShow(run: ShownRun, { colour, width }: Page): string {
  const { figures, baselines, quote } = run
  const about: (readonly [string, string | null])[] = [
    ['Kind', run.venue === null ? run.kind : `${run.kind} at ${run.venue}`], ['State', run.state], ['Scenario', run.scenario],
    ['Span', run.from === null || run.to === null ? null : `${run.from} – ${run.to}`],
    ['Started', run.startedAt], ['Finished', run.finishedAt], ['Directory', run.directory],
  ]
  return paint([
    [span(run.run, 'bold')],
    ...pairs(about.filter((row): row is readonly [string, string] => row[1] !== null), width),
    ...run.warnings.flatMap((warning) => item('!', warning, width, 'warn')),
    ...(run.settings.length === 0 ? [] : [[], heading('Settings that differ from the defaults', width), ...settingsLines(run.settings, width)]),
    ...(figures === null ? [] : figureLines(figures, quote, width)),
    ...(baselines === null ? [] : baselineLines(baselines, quote, figures, width)),
    ...(run.cells === null ? [] : [[], heading(`Cells (${run.cells.length})`, width), ...run.cells.map(({ id, name }): Line => [span(`${id}  ${name}`)])]),
    [], heading('Files', width),
    ...table(run.files.map(({ name, bytes }) => [[span(name)], [span(bytesText(bytes))]]), Math.min(width, 60)),
  ], colour)
}

function figureLines(figures: Figures, quote: string, width: number): Line[] {
  return FIGURE_GROUPS.flatMap(({ title, keys }): Line[] => [
    [], heading(title, width),
    ...table(keys.filter((key) => figures[key] !== undefined).map((key) => [
      [span(FIGURE_LABELS[key].label)], [span(figureText(figures, key, quote))],
    ]), Math.min(width, 60)),
    ...keys.filter((key) => figures[key] === null).flatMap((key) => item('–', `${FIGURE_LABELS[key].label}: ${whyUndefined(figures, key)}`, width, 'soft')),
  ])
}

function baselineLines(baselines: NonNullable<ShownRun['baselines']>, quote: string, figures: Figures | null, width: number): Line[] {
  const names = [['buyAndHold', 'Buy and hold'], ['flat', 'Flat'], ['random', 'Random entries']] as const
  const rows = names.flatMap(([key, name]): Line[][] => {
    const one = baselines[key]
    if (one === null || one === undefined) return []
    const ahead = one.totalReturn === null || figures === null ? null : figures.totalReturn - one.totalReturn
    return [[[span(name)], [span(money(one.finalEquity, quote))], [span(change(one.totalReturn))], [span(ahead === null ? '' : `run ${change(ahead)}`, sign(ahead))]]]
  })
  const beats = baselines.random?.beats
  return rows.length === 0 ? [] : [[], heading('Against no skill', width), ...table(rows, Math.min(width, 72)),
    ...(beats === undefined ? [] : item('·', `The run beats ${percent(beats, 1)} of the random draws.`, width, 'soft'))]
}

/** Figures of several runs in columns; with two, their difference. */
export function figureTable(runs: readonly { readonly id: string; readonly figures: Figures | null; readonly quote: string }[], width: number): Line[] {
  const two = runs.length === 2 && runs.every(({ figures }) => figures !== null)
  const head: Line[] = [[], ...runs.map(({ id }): Line => [span(id, 'bold')]), ...(two ? [[span('Difference', 'soft')] as Line] : [])]
  const rows = FIGURE_GROUPS.flatMap(({ keys }) => keys).filter((key) => runs.some(({ figures }) => figures?.[key] !== undefined)).map((key): Line[] => [
    [span(FIGURE_LABELS[key].label)],
    ...runs.map(({ figures, quote }): Line => [span(figures?.[key] === undefined ? '' : figureText(figures, key, quote))]),
    ...(two ? [differenceOf(key, runs[0].figures!, runs[1].figures!, runs[0].quote)] : []),
  ])
  return table([head, ...rows], width)
}

function differenceOf(key: FigureKey, a: Figures, b: Figures, quote: string): Line {
  const [one, other] = [a[key], b[key]]
  if (typeof one !== 'number' || typeof other !== 'number') return []
  const by = other - one
  if (by === 0) return [span('=', 'soft')]
  switch (FIGURE_LABELS[key].unit) {
    case 'quote': return [span(gain(by, quote))]
    case 'change': case 'share': return [span(`${by > 0 ? '+' : ''}${fixed(by * 100, 2)} pp`)]
    case 'count': return [span(`${by > 0 ? '+' : ''}${count(by)}`)]
    case 'usd': case 'ratio': case 'times': return [span(`${by > 0 ? '+' : ''}${fixed(by, 2)}`)]
  }
}

/** Figures of several runs; where their columns do not fit, a few runs at a time. */
export function renderTogether(runs: readonly ComparedRun[], { colour, width }: Page): string {
  const labels = 28
  const column = Math.max(16, ...runs.map(({ id }) => id.length)) + 2
  const most = Math.max(1, Math.floor((width - labels) / column))
  const lines: Line[] = []
  // Two runs that do not fit beside each other go by letters, so that their difference stays in sight.
  const lettered = runs.length === 2 && most < 3
  if (lettered) lines.push(...pairs(runs.map(({ id }, index) => [AB[index], id] as const), width), [])
  for (let from = 0; from < runs.length; from += lettered ? 2 : most) {
    const part = runs.slice(from, from + (lettered ? 2 : most)).map((run, index) => (lettered ? { ...run, id: AB[index] } : run))
    lines.push(...(from === 0 ? [] : [[]]), ...figureTable(part, Math.min(width, labels + (lettered ? 60 : column * (part.length + 1)))))
  }
  lines.push([], ...runs.flatMap(({ id, about, warnings }) =>
    [...item('·', `${id}: ${about}`, width, 'soft'), ...warnings.flatMap((warning) => item('  !', warning, width, 'warn'))]))
  return paint(lines, colour)
}

const AB = ['A', 'B']

export function renderDiff(found: RunDifference, quotes: readonly [string, string], { colour, width }: Page): string {
  const { a, b, settings, figures, trade, decision, notes } = found
  const lines: Line[] = [
    ...pairs([['A', a], ['B', b]], width),
    [], heading(settings.length === 0 ? 'Settings: all the same' : `Settings that differ (${settings.length})`, width),
    ...settings.flatMap(({ path, a: left, b: right }): Line[] => [[span(path)], ...item('  A', settingText(left), width), ...item('  B', settingText(right), width)]),
  ]
  if (figures.a !== null || figures.b !== null) {
    lines.push([], heading('Figures', width), ...figureTable([{ id: 'A', figures: figures.a, quote: quotes[0] }, { id: 'B', figures: figures.b, quote: quotes[1] }], Math.min(width, 96)))
  }
  lines.push([], heading('Where they part', width))
  if (trade !== null) lines.push(...side(`Trade ${count(trade.number)}`, trade.a, trade.b, tradeText, width))
  else if (!notes.some((note) => note.includes('trades.csv'))) lines.push(...item('=', 'Every closed trade is the same.', width))
  if (decision !== null) lines.push(...side(`Decision ${count(decision.number)}`, decision.a, decision.b, decisionText, width))
  else if (!notes.some((note) => note.includes('no audit trail'))) lines.push(...item('=', 'Every decision is the same.', width))
  lines.push(...notes.flatMap((note) => item('!', note, width, 'warn')))
  return paint(lines, colour)
}

const side = <T>(title: string, a: T | null, b: T | null, text: (one: T) => string, width: number): Line[] => [
  [span(title)], ...item('  A', a === null ? 'has no more' : text(a), width), ...item('  B', b === null ? 'has no more' : text(b), width),
]

const moment = (ms: string | undefined): string => (Number.isFinite(Number(ms)) ? utcMinute(Number(ms)) : String(ms))

const tradeText = ({ symbol, entryTime, entryPrice, exitTime, exitPrice, quantity, reason, pnl }: TradeRow): string =>
  `${symbol} in ${moment(entryTime)} at ${entryPrice}, out ${moment(exitTime)} at ${exitPrice} by ${reason}, quantity ${quantity}, result ${fixed(Number(pnl), 2)}`

const decisionText = ({ seq, time, symbol, action, confidence, status, reason }: DecisionMark): string =>
  `${time.slice(0, 16).replace('T', ' ')} ${symbol}: ${action} ${percent(confidence)} ${status}${reason === null ? '' : `, ${reason}`} (line ${seq})`
