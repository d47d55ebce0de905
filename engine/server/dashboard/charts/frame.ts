import { createChart, type ChartOptions, type DeepPartial, type IChartApi, type Time, type UTCTimestamp } from 'lightweight-charts'
import { minute, number, priceDigits } from '../data/format.ts'
import { colour } from '../data/theme.ts'

export const seconds = (ms: number): UTCTimestamp => Math.floor(ms / 1_000) as UTCTimestamp

const OPTIONS: DeepPartial<ChartOptions> = {
  autoSize: true,
  // The page's foot names the library and its makers, as its licence asks.
  layout: { attributionLogo: false, fontSize: 11, background: { color: 'transparent' } },
  localization: { locale: 'en-GB', timeFormatter: (time: Time) => minute(Number(time) * 1_000) },
  crosshair: { mode: 0 },
  rightPriceScale: { entireTextOnly: true },
  timeScale: { timeVisible: true, rightOffset: 4, minBarSpacing: 0.05 },
  // The wheel scrolls the page; dragging and pinching move the chart.
  handleScroll: { mouseWheel: false, vertTouchDrag: false },
  handleScale: { mouseWheel: false },
}

export const newChart = (box: HTMLElement): IChartApi => createChart(box, OPTIONS)

/** The colours of a chart's frame in the page's theme. */
export function frameColours(): DeepPartial<ChartOptions> {
  const [line, soft, accent] = [colour('line'), colour('soft'), colour('accent')]
  const cross = { color: soft, labelBackgroundColor: accent }
  return {
    layout: { textColor: soft, panes: { separatorColor: line, separatorHoverColor: line } },
    grid: { vertLines: { color: colour('grid') }, horzLines: { color: colour('grid') } },
    rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line },
    crosshair: { vertLine: cross, horzLine: cross },
  }
}

export const priceFormat = {
  type: 'custom' as const, minMove: 0.00000001, formatter: (value: number) => number(value, priceDigits(value)),
}
