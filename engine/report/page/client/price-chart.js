import { withKeys } from './keys.js'
import { change, chartOptions, chartTheme, isoMinute, number, withTheme } from './theme.js'
import { REASONS, TradeMarks } from './trade-marks.js'

const candlesOf = (chart) => chart.steps.map((step, row) => ({
  time: (chart.start + step * chart.stepMs) / 1000,
  open: chart.open[row], high: chart.high[row], low: chart.low[row], close: chart.close[row],
}))

/** The axis needs fewer decimals than the label at the cross. */
const priceFormat = (digits) => ({
  type: 'custom',
  minMove: 10 ** -digits,
  formatter: (price) => number(price, digits),
  tickmarksFormatter: (prices) => {
    const step = prices.length > 1 ? Math.abs(prices[1] - prices[0]) : 1
    const needed = Math.min(digits, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))
    return prices.map((price) => number(price, needed))
  },
})

/** The trades as rows, in the run's order. */
const rowsOf = (trades) => trades.entry.map((_, number) => ({
  number,
  symbol: trades.symbol[number], entry: trades.entry[number], exit: trades.exit[number],
  entryPrice: trades.entryPrice[number], exitPrice: trades.exitPrice[number], stop: trades.stop[number],
  target: trades.target[number], reason: trades.reason[number], percent: trades.percent[number],
}))

/** The candle chart: symbol, zoom, and the trade that is looked at. Returns `show(number)` for the trades table. */
export function priceChart(data) {
  const box = document.getElementById('price-chart')
  const readout = document.getElementById('price-readout')
  const note = document.getElementById('marks-note')
  const picker = document.getElementById('symbol')
  const trades = rowsOf(data.trades)
  let shown = -1
  let mine = []
  let chosen = -1

  const chart = LightweightCharts.createChart(box, chartOptions)
  const series = chart.addSeries(LightweightCharts.CandlestickSeries, {
    borderVisible: false, priceLineVisible: false, lastValueVisible: false,
  })
  let counted = ''
  const marks = new TradeMarks(data.markLimit, (inView, marked) => {
    const text = marked < inView
      ? `${number(inView, 0)} trades in view, the first ${number(marked, 0)} of them marked.`
      : `${number(inView, 0)} of ${number(mine.length, 0)} trades in view.`
    if (text !== counted) note.textContent = counted = text
  })
  series.attachPrimitive(marks)
  withTheme((colour) => {
    chart.applyOptions(chartTheme(colour))
    // Candles step back behind the trades, which are what the chart is for.
    const [up, down] = [`${colour.up}90`, `${colour.down}90`]
    series.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down })
    marks.setColours(colour)
  })
  const zoom = withKeys(box, chart)

  function select(index) {
    if (index === shown) return
    shown = index
    const candles = data.charts[index]
    mine = trades.filter((trade) => trade.symbol === index && trade.entry >= 0)
    series.applyOptions({ priceFormat: priceFormat(candles.digits) })
    chart.applyOptions({ timeScale: { secondsVisible: candles.stepMs < 60_000 } })
    series.setData(candlesOf(candles))
    marks.setTrades(mine)
    zoom.all()
    describe(null)
    if (picker) picker.value = String(index)
  }

  const tell = ({ number: row, reason, percent }) =>
    `Trade ${number(row + 1, 0)} · ${REASONS[reason].word} · ${change(percent)}`

  /** The line above the chart: the candle under the cross, or the trade that was chosen. */
  function describe(row) {
    const candles = data.charts[shown]
    if (row === null) {
      const trade = trades[chosen]
      const bars = `${candles.symbol}  ·  ${number(candles.steps.length, 0)} bars`
      readout.textContent = trade?.symbol === shown ? tell(trade) : bars
      return
    }
    const time = isoMinute((candles.start + candles.steps[row] * candles.stepMs) / 1000)
    const price = (name) => number(candles[name][row], candles.digits)
    const prices = `O ${price('open')}  H ${price('high')}  L ${price('low')}  C ${price('close')}`
    const open = mine.filter((trade) => trade.entry <= row && trade.exit >= row).slice(0, 2)
    readout.textContent = [time, prices, ...open.map(tell)].join('  ·  ')
  }

  function show(wanted) {
    const trade = trades[wanted]
    if (!trade || trade.symbol < 0 || trade.entry < 0) return
    select(trade.symbol)
    chosen = wanted
    marks.choose(wanted)
    const margin = Math.max(15, (trade.exit - trade.entry) * 1.2)
    chart.timeScale().setVisibleLogicalRange({ from: trade.entry - margin, to: trade.exit + margin })
    describe(null)
    // Said once for a trade; the line above the chart changes with every move of the mouse and would never be silent.
    document.getElementById('trade-status').textContent = tell(trade)
    document.dispatchEvent(new CustomEvent('trade-shown', { detail: wanted }))
  }

  /** The neighbour of the chosen trade among those of this symbol, or the first or last in the run. */
  function step(way) {
    if (mine.length === 0) return
    const at = mine.findIndex((trade) => trade.number === chosen)
    const next = at === -1 ? (way > 0 ? 0 : mine.length - 1) : Math.min(mine.length - 1, Math.max(0, at + way))
    show(mine[next].number)
  }

  chart.subscribeCrosshairMove(({ logical, point }) => {
    const rows = data.charts[shown].steps.length
    describe(point && logical !== undefined && logical >= 0 && logical < rows ? logical : null)
  })
  /** Equal distances for equal percentages: a market that grew tenfold is readable at both ends. */
  function log({ currentTarget: button }) {
    const on = button.getAttribute('aria-pressed') !== 'true'
    button.setAttribute('aria-pressed', String(on))
    chart.priceScale('right').applyOptions({ mode: on ? 1 : 0 })
  }

  const actions = { ...zoom, next: () => step(1), previous: () => step(-1), log }
  for (const button of document.querySelectorAll('#price [data-do]')) {
    button.addEventListener('click', actions[button.dataset.do])
  }
  picker?.addEventListener('change', () => select(Number(picker.value)))
  select(0)

  return (wanted) => {
    show(wanted)
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    document.getElementById('price').scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' })
    box.focus({ preventScroll: true })
  }
}
