import {
  CandlestickSeries, createSeriesMarkers, LineStyle, type AutoscaleInfo, type IChartApi, type IPriceLine, type ISeriesApi, type ISeriesMarkersPluginApi,
  type SeriesMarker, type Time,
} from 'lightweight-charts'
import { colour } from '../data/theme.ts'
import type { Candle, Candles } from '../data/types.ts'
import { frameColours, newChart, priceFormat, seconds } from './frame.ts'

/** Of the chart's height, for the candles. */
const LEAST_SHARE = 0.2

/** Candles with entries, exits, and the lines of the open position. */
export class PriceChart {
  readonly #chart: IChartApi
  readonly #series: ISeriesApi<'Candlestick'>
  readonly #marks: ISeriesMarkersPluginApi<Time>
  #lines: IPriceLine[] = []
  #shown: Candles | null = null

  constructor(box: HTMLElement) {
    this.#chart = newChart(box)
    this.#series = this.#chart.addSeries(CandlestickSeries, {
      borderVisible: false,
      priceFormat,
      autoscaleInfoProvider: (own: () => AutoscaleInfo | null) => this.#scale(own()),
    })
    this.#marks = createSeriesMarkers(this.#series, [])
  }

  /** Only what is new is drawn anew, so that a view somebody moved stays where it is. */
  show(data: Candles): void {
    const before = this.#shown
    this.#shown = data
    const same = before !== null && before.symbol === data.symbol && before.candles[0]?.[0] === data.candles[0]?.[0]
    if (same) {
      if (before.candles !== data.candles) this.#grow(before.candles, data.candles)
    } else {
      this.#series.setData(data.candles.map(bar))
      if (before?.symbol !== data.symbol) this.#chart.timeScale().setVisibleLogicalRange({ from: data.candles.length - 140, to: data.candles.length + 4 })
    }
    if (!same || before.marks !== data.marks || before.candles !== data.candles) this.#mark(data)
    if (before?.position !== data.position) this.#line(data)
  }

  paint(): void {
    const [up, down] = [colour('up'), colour('down')]
    this.#chart.applyOptions(frameColours())
    this.#series.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down })
    if (this.#shown === null) return
    this.#mark(this.#shown)
    this.#line(this.#shown)
  }

  remove(): void {
    this.#chart.remove()
  }

  #scale(own: AutoscaleInfo | null): AutoscaleInfo | null {
    const position = this.#shown?.position
    if (own === null || own.priceRange === null || position === null || position === undefined) return own
    const { minValue, maxValue } = own.priceRange
    const lines = [position.stop, position.target].filter((price) => price !== null)
    const all = { minValue: Math.min(minValue, ...lines), maxValue: Math.max(maxValue, ...lines) }
    // Stop and target are in view, unless they are so far away that the candles would be a flat line.
    return (all.maxValue - all.minValue) * LEAST_SHARE > maxValue - minValue ? own : { ...own, priceRange: all }
  }

  #grow(before: readonly Candle[], after: readonly Candle[]): void {
    const last = before.at(-1)?.[0] ?? -Infinity
    // An answer that was overtaken by a newer one ends earlier, and the library takes no step back.
    if ((after.at(-1)?.[0] ?? -Infinity) < last) this.#series.setData(after.map(bar))
    else for (const one of after) if (one[0] >= last) this.#series.update(bar(one))
  }

  #mark({ candles, marks }: Candles): void {
    const [up, down] = [colour('mark-entry'), colour('mark-exit')]
    // A mark outside the candles would be drawn at the nearest one, which is another time.
    const first = candles[0]?.[0] ?? Infinity
    this.#marks.setMarkers(marks.filter(({ time }) => time >= first).map(({ time, kind }): SeriesMarker<Time> => kind === 'entry'
      ? { time: seconds(time), position: 'belowBar', shape: 'arrowUp', color: up, text: 'In' }
      : { time: seconds(time), position: 'aboveBar', shape: 'arrowDown', color: down, text: 'Out' }))
  }

  #line({ position }: Candles): void {
    for (const line of this.#lines) this.#series.removePriceLine(line)
    const wanted = position === null ? [] : [
      { price: position.entry_price, title: 'entry', color: colour('soft'), lineStyle: LineStyle.Dotted },
      { price: position.stop, title: 'stop', color: colour('down'), lineStyle: LineStyle.Dashed },
      { price: position.target, title: 'target', color: colour('up'), lineStyle: LineStyle.Dashed },
    ]
    this.#lines = wanted.flatMap(({ price, ...line }) =>
      price === null ? [] : [this.#series.createPriceLine({ ...line, price, lineWidth: 1, axisLabelVisible: true })])
  }
}

const bar = ([time, open, high, low, close]: Candle) => ({ time: seconds(time), open, high, low, close })

