import { AreaSeries, BaselineSeries, type AutoscaleInfo, type IChartApi, type ISeriesApi } from 'lightweight-charts'
import { axisDigits, money, moneyDigits, number, percent } from '../data/format.ts'
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
      this.#whole()
    })
    const plain = { priceLineVisible: false, lineWidth: 2 as const }
    const amount = {
      type: 'custom' as const, minMove: 0.00000001, formatter: (value: number) => money(value, moneyDigits(this.#shown?.start)),
      tickmarksFormatter: (marks: number[]) => marks.map((mark) => number(mark, axisDigits(marks))),
    }
    const fraction = {
      type: 'custom' as const, minMove: 0.000001, formatter: (value: number) => percent(value),
      tickmarksFormatter: (marks: number[]) => marks.map((mark) => percent(mark, { digits: axisDigits(marks.map((one) => one * 100)) })),
    }
    this.#curve = this.#chart.addSeries(BaselineSeries, { ...plain, priceFormat: amount }, 0)
    this.#fall = this.#chart.addSeries(AreaSeries, {
      ...plain, lineWidth: 1, invertFilledArea: true, priceFormat: fraction, autoscaleInfoProvider: (own: () => AutoscaleInfo | null) => fromNought(own()),
    }, 1)
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
    if (!this.#moved) this.#whole()
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

  /** All of it, with room for the labels at both ends. */
  #whole(): void {
    const count = this.#curve.data().length
    const room = Math.max(0.5, count * 0.035)
    this.#chart.timeScale().setVisibleLogicalRange({ from: -room, to: count - 1 + room })
  }
}

/** No loss is above, and a tenth of a percent is not blown up into a fall. */
const fromNought = (own: AutoscaleInfo | null): AutoscaleInfo | null => own === null || own.priceRange === null ? own
  : { ...own, priceRange: { minValue: Math.min(own.priceRange.minValue, -0.001), maxValue: 0 } }

/** The chart counts in seconds, of which each may have one point: the last. */
const distinct = (points: readonly EquityPoint[]): readonly EquityPoint[] =>
  points.filter(([time], index) => index === points.length - 1 || seconds(points[index + 1][0]) > seconds(time))
