import { EXIT_REASONS, type ExitReason } from '../../core/order.ts'
import { EXIT_LABELS } from '../facts.ts'
import { change, count, fixed, gain, money, priceDecimals, quantity, utcMinute } from '../format.ts'
import { html, type Markup, type Part } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { delta, numberHeading, scrollBox, section, signedNumber, typeset } from './bits.ts'

/** Rows in the page. More would make it slow to open; the run's own table has them all. */
export const TABLE_LIMIT = 1_000

const NUMBERS = html` class="num"`

interface Column {
  readonly title: string
  /** What is shown, and what it is sorted by. */
  readonly cell: (row: number) => readonly [Part, number | string]
  /** Words and times read from the left, amounts line up on the right. */
  readonly left?: true
}

function columns(data: ReportData): Column[] {
  const { trades: t, quote } = data
  const decimals = data.symbols.map((symbol) => {
    const chart = data.charts.find((candidate) => candidate.symbol === symbol)
    return priceDecimals(chart ? chart.close.subarray(0, chart.length) : t.exitPrice.subarray(0, t.length))
  })
  const symbol = (row: number): string => data.symbols[t.symbol[row]]
  const reason = (row: number): ExitReason => EXIT_REASONS[t.reason[row]]
  const price = (row: number, value: number): [string, number] =>
    [Number.isFinite(value) ? fixed(value, decimals[t.symbol[row]]) : '', Number.isFinite(value) ? value : 0]
  const all: (Column | false)[] = [
    data.symbols.length > 1 && { title: 'Symbol', cell: (row) => [symbol(row), symbol(row)], left: true },
    { title: 'Entry, UTC', cell: (row) => [utcMinute(t.entryTime[row]), t.entryTime[row]], left: true },
    { title: 'Exit, UTC', cell: (row) => [utcMinute(t.exitTime[row]), t.exitTime[row]], left: true },
    { title: 'Candles', cell: (row) => [count(t.held[row]), t.held[row]] },
    { title: 'Exit by', cell: (row) => [EXIT_LABELS[reason(row)], reason(row)], left: true },
    { title: 'Return', cell: (row) => [delta(t.pnl[row], change(t.pnl[row] / t.cost[row])), t.pnl[row] / t.cost[row]] },
    { title: `Result, ${quote}`, cell: (row) => [signedNumber(t.pnl[row], gain(t.pnl[row], quote)), t.pnl[row]] },
    { title: 'Entry price', cell: (row) => price(row, t.entryPrice[row]) },
    { title: 'Exit price', cell: (row) => price(row, t.exitPrice[row]) },
    { title: 'Stop', cell: (row) => price(row, t.stop[row]) },
    { title: 'Target', cell: (row) => price(row, t.target[row]) },
    { title: 'Quantity', cell: (row) => [quantity(t.quantity[row]), t.quantity[row]] },
    { title: `Spent, ${quote}`, cell: (row) => [money(t.cost[row], quote), t.cost[row]] },
    { title: `Fees, ${quote}`, cell: (row) => [money(t.fees[row], quote), t.fees[row]] },
  ]
  return all.filter((column) => column !== false)
}

/** Positions that are no trades yet. */
function openAtTheEnd({ open, quote, symbols, charts }: ReportData): Markup | null {
  if (open.length === 0) return null
  const titles = ['Entry price', 'Quantity', 'Last close', `Worth, ${quote}`, `Unrealised, ${quote}`]
  return html`
<div class="panel open-positions">${scrollBox('Open at the end', html`
<table class="data">
<caption>Open at the end</caption>
<thead><tr>${symbols.length > 1 && html`<th scope="col">Symbol</th>`}<th scope="col">Entry, UTC</th>${titles.map(numberHeading)}</tr></thead>
<tbody>${open.map(({ symbol, entryTime, entryPrice, quantity: units, price, worth, unrealised }) => {
    const chart = charts.find((candidate) => candidate.symbol === symbol)
    const digits = priceDecimals(chart ? chart.close.subarray(0, chart.length) : [entryPrice, price])
    return html`
<tr>${symbols.length > 1 && html`<td>${symbol}</td>`}<td>${utcMinute(entryTime)}</td>
<td class="num">${fixed(entryPrice, digits)}</td><td class="num">${quantity(units)}</td>
<td class="num">${fixed(price, digits)}</td><td class="num">${money(worth, quote)}</td>
<td class="num">${signedNumber(unrealised, gain(unrealised, quote))}</td></tr>`
  })}</tbody>
</table>`)}
<p class="note">Valued at the last close, before the costs of leaving; such a position counts in the equity and is no trade yet.</p></div>`
}

/** The closed trades, oldest exit first. The page's script makes it sortable and ties each row to the chart. */
export function trades(data: ReportData): Markup {
  const shown = Math.min(data.trades.length, TABLE_LIMIT)
  const list = columns(data)
  const line = (row: number): Markup => html`
<tr data-trade="${row}"><th scope="row" class="num" data-v="${row}">
<a href="#price" aria-label="Trade ${row + 1}, show in the chart">${count(row + 1)}</a></th>${list.map((column) => {
    const [shownAs, sortedBy] = column.cell(row)
    const shownText = typeof shownAs === 'string' ? typeset(shownAs) : shownAs
    return html`<td${!column.left && NUMBERS} data-v="${sortedBy}">${shownText}</td>`
  })}</tr>`
  const lead = data.trades.length > shown
    ? `The first ${count(shown)} of ${count(data.trades.length)} trades; trades.csv beside this file has all of them.`
    : 'trades.csv beside this file has the same trades with every digit.'
  return section({
    id: 'trades',
    title: 'Trades',
    lead: shown === 0 ? undefined : html`${lead}
<span class="needs-script">Click a heading to sort, a row to see it in the chart.</span>`,
    body: html`${openAtTheEnd(data)}${shown === 0
      ? html`<p class="note">No trade was closed.</p>`
      : html`<div class="panel">${scrollBox('Trades', html`
<table class="data" id="trades-table">
<thead><tr><th scope="col" class="num">#</th>${list.map(({ title, left }) => html`
<th scope="col"${!left && NUMBERS}>${title}</th>`)}</tr></thead>
<tbody>${Array.from({ length: shown }, (_, row) => line(row))}</tbody>
</table>`)}</div>`}`,
  })
}
