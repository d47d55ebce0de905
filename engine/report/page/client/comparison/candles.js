import { isoMinute, number } from '../theme.js'
import { drawn, plot, range, svg } from './svg.js'

const AROUND = 20

/** The bar that holds the candle which closed at `time`: the last that opened before it. */
function barBefore({ start, stepMs, steps }, time) {
  let [low, high] = [0, steps.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (start + steps[middle] * stepMs < time) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The candles around a decision, as a figure; what was known is left of the line, what came is right of it. */
export function candlesAround(chart, time) {
  const figure = document.createElement('figure')
  const at = barBefore(chart, time)
  if (at < 0) {
    figure.append('No candle of this time is in the page.')
    return figure
  }
  const [from, to] = [Math.max(0, at - AROUND), Math.min(chart.steps.length - 1, at + AROUND)]
  const rows = Array.from({ length: to - from + 1 }, (_, index) => from + index)
  const opened = (row) => isoMinute((chart.start + chart.steps[row] * chart.stepMs) / 1000)
  const price = (value) => number(value, chart.digits)
  const values = rows.flatMap((row) => [chart.high[row], chart.low[row]])
  const box = Object.assign(document.createElement('div'), { className: 'drawing candles' })
  drawn(box, (width, height) => {
    const every = Math.max(1, Math.ceil(rows.length / Math.max(2, Math.floor(width / 95))))
    const ticked = rows.filter((row) => (row - at) % every === 0 && row - from > 1 && to - row > 1)
    const y = range(values, 0.04)
    const chartBox = plot({
      width, height, x: [from - 0.8, to + 0.8], y, right: true,
      yText: (value) => number(value, y[1] - y[0] < 1 ? chart.digits : y[1] - y[0] < 50 ? 2 : 0),
      xTicks: ticked.map((row) => [row, opened(row).slice(5)]),
      label: `${rows.length} candles of ${chart.symbol} from ${opened(from)} to ${opened(to)} UTC. The one decided about, ${opened(at)}: open ${price(chart.open[at])}, `
        + `high ${price(chart.high[at])}, low ${price(chart.low[at])}, close ${price(chart.close[at])}. The last closes at ${price(chart.close[to])}.`,
    })
    const body = Math.max(1, (chartBox.width / (rows.length + 1)) * 0.62)
    for (const row of rows) {
      const [x, open, close] = [chartBox.toX(row), chartBox.toY(chart.open[row]), chartBox.toY(chart.close[row])]
      // A falling candle is filled, a rising one hollow: colour is not the only sign.
      const kind = chart.close[row] >= chart.open[row] ? 'rise' : 'fall'
      chartBox.root.append(svg('g', { class: `candle ${kind}${row === at ? ' decided' : ''}` },
        svg('line', { x1: x, x2: x, y1: chartBox.toY(chart.high[row]), y2: Math.min(open, close) }),
        svg('line', { x1: x, x2: x, y1: Math.max(open, close), y2: chartBox.toY(chart.low[row]) }),
        svg('rect', { x: x - body / 2, y: Math.min(open, close), width: body, height: Math.max(1, Math.abs(open - close)) }),
        svg('title', {}, `${opened(row)}  O ${price(chart.open[row])}  H ${price(chart.high[row])}  L ${price(chart.low[row])}  C ${price(chart.close[row])}`)))
    }
    const line = chartBox.toX(at + 0.5)
    chartBox.root.append(
      svg('line', { class: 'upright dashed', x1: line, x2: line, y1: chartBox.top, y2: chartBox.top + chartBox.height }),
      svg('text', { class: 'tick', x: line + 5, y: chartBox.top + 10 }, 'decided'),
    )
    return [chartBox.root]
  })
  const note = document.createElement('figcaption')
  note.className = 'note'
  note.textContent = `${chart.symbol}, ${rows.length} bars, opened ${opened(from)} to ${opened(to)} UTC. Hollow bars rise, filled ones fall; the dashed line is the close that was decided about.`
  figure.append(box, note)
  return figure
}
