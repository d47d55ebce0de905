import { withKeys } from './keys.js'
import { chartOptions, chartTheme, number, withTheme } from './theme.js'

/** Value ÷ highest value so far − 1, from the starting cash on. */
function drawdowns(values, startCash) {
  let peak = startCash
  return values.map((value) => value / (peak = Math.max(peak, value)) - 1)
}

const percent = (fraction) => `${number(fraction * 100, 2)} %`

/** Equity above, drawdown below, on one time axis. */
export function equityChart({ equity, startCash, quote, moneyDigits }) {
  const box = document.getElementById('equity-chart')
  const readout = document.getElementById('equity-readout')
  const day = (index) => (equity.firstDay + index) * 86_400
  const falls = drawdowns(equity.values, startCash)
  const plain = { lastValueVisible: false, priceLineVisible: false, lineWidth: 2 }

  const chart = LightweightCharts.createChart(box, {
    ...chartOptions,
    timeScale: { ...chartOptions.timeScale, timeVisible: false },
    localization: { locale: 'en-GB', timeFormatter: (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10) },
  })
  const curve = chart.addSeries(LightweightCharts.BaselineSeries, {
    ...plain,
    baseValue: { type: 'price', price: startCash },
    priceFormat: {
      type: 'custom', minMove: 10 ** -moneyDigits, formatter: (price) => number(price, price < 100 ? moneyDigits : 0),
    },
  }, 0)
  const fall = chart.addSeries(LightweightCharts.AreaSeries, {
    ...plain,
    lineWidth: 1,
    invertFilledArea: true,
    priceFormat: { type: 'custom', minMove: 0.0001, formatter: percent },
  }, 1)
  chart.panes()[0].setStretchFactor(0.68)
  chart.panes()[1].setStretchFactor(0.32)
  withTheme((colour) => {
    chart.applyOptions(chartTheme(colour))
    curve.applyOptions({
      topLineColor: colour.up, topFillColor1: `${colour.up}38`, topFillColor2: `${colour.up}08`,
      bottomLineColor: colour.down, bottomFillColor1: `${colour.down}08`, bottomFillColor2: `${colour.down}38`,
    })
    fall.applyOptions({ lineColor: colour.down, topColor: `${colour.down}10`, bottomColor: `${colour.down}50` })
  })
  curve.setData(equity.values.map((price, index) => ({ time: day(index), value: price })))
  fall.setData(falls.map((fraction, index) => ({ time: day(index), value: fraction })))
  chart.timeScale().fitContent()
  withKeys(box, chart)

  const describe = (index) => {
    const date = new Date(day(index) * 1000).toISOString().slice(0, 10)
    const value = `${number(equity.values[index], moneyDigits)} ${quote}`
    readout.textContent = `${date}  ·  ${value}  ·  drawdown ${percent(falls[index])}`
  }
  const last = equity.values.length - 1
  chart.subscribeCrosshairMove(({ logical, point }) => {
    describe(point && logical !== undefined ? Math.min(last, Math.max(0, logical)) : last)
  })
  describe(last)
}
