import { AreaSeries, BaselineSeries, type IChartApi, type ISeriesApi } from 'lightweight-charts'
import { number, percent } from '../data/format.ts'
import { colour } from '../data/theme.ts'
import type { Equity, EquityPoint } from '../data/types.ts'
import { frameColours, newChart, seconds } from './frame.ts'

/** Equity above, drawdown below, on one time axis. */
export class EquityChart {
  readonly #chart: IChartApi
  readonly #curve: ISeriesApi<'Baseline'>
  readonly #fall: ISeriesApi<'Area'>
  #shown: Equity | null = null
  /** Whoever moved the view keeps it; a double click shows the whole again. */
  #moved = false

  constructor(box: HTMLElement) {
    this.#chart = newChart(box)
    box.addEventListener('pointerdown', () => { this.#moved = true })
    box.addEventListener('dblclick', () => {
      this.#moved = false
      this.#chart.timeScale().fitContent()
    })
    const plain = { priceLineVisible: false, lineWidth: 2 as const }
    const money = { type: 'custom' as const, minMove: 0.01, formatter: (value: number) => number(value, Math.abs(value) < 1_000 ? 2 : 0) }
    const fraction = { type: 'custom' as const, minMove: 0.0001, formatter: (value: number) => percent(value) }
    this.#curve = this.#chart.addSeries(BaselineSeries, { ...plain, priceFormat: money }, 0)
    this.#fall = this.#chart.addSeries(AreaSeries, { ...plain, lineWidth: 1, invertFilledArea: true, priceFormat: fraction }, 1)
    this.#chart.panes()[0]?.setStretchFactor(0.68)
    this.#chart.panes()[1]?.setStretchFactor(0.32)
  }

  show(data: Equity): void {
    const before = this.#shown
    this.#shown = data
    if (before === data) return
    if (before === null || before.start !== data.start) this.#curve.applyOptions({ baseValue: { type: 'price', price: data.start ?? 0 } })
    const points = distinct(data.points)
    this.#curve.setData(points.map(([time, equity]) => ({ time: seconds(time), value: equity })))
    this.#fall.setData(points.map(([time, , drawdown]) => ({ time: seconds(time), value: drawdown })))
    if (!this.#moved) this.#chart.timeScale().fitContent()
  }

  paint(): void {
    const [up, down] = [colour('up'), colour('down')]
    this.#chart.applyOptions(frameColours())
    this.#curve.applyOptions({
      topLineColor: up, topFillColor1: `${up}38`, topFillColor2: `${up}08`,
      bottomLineColor: down, bottomFillColor1: `${down}08`, bottomFillColor2: `${down}38`,
    })
    this.#fall.applyOptions({ lineColor: down, topColor: `${down}10`, bottomColor: `${down}50` })
  }

  remove(): void {
    this.#chart.remove()
  }
}

/** The chart counts in seconds, of which each may have one point: the last. */
const distinct = (points: readonly EquityPoint[]): readonly EquityPoint[] =>
  points.filter(([time], index) => index === points.length - 1 || seconds(points[index + 1][0]) > seconds(time))
