import { html, type Markup } from './markup.ts'
import { assumptions, breakdown, figures } from './page/breakdown.ts'
import { equityChart, priceChart } from './page/charts.ts'
import { frame } from './page/frame.ts'
import { footer, header, navigation } from './page/header.ts'
import { months } from './page/months.ts'
import { overview } from './page/overview.ts'
import { pageData } from './page/page-data.ts'
import { rehearsal } from './page/rehearsal.ts'
import { trades } from './page/trades.ts'
import type { ReportData } from './report-data.ts'

const body = (data: ReportData): Markup => html`
<a class="skip" href="#overview">Skip to the figures</a>
${header(data)}
${navigation(data)}
<main>
${overview(data)}
${rehearsal(data)}
${priceChart(data)}
${equityChart(data)}
${months(data)}
${breakdown(data)}
${figures(data)}
${trades(data)}
${assumptions(data)}
</main>
${footer()}`

/**
 * A run as one HTML file that opens from a disk without a network: figures and tables are plain HTML, a script inside
 * draws the charts. Holds no wall-clock value, so the same data gives the same bytes. Throws when a file of this
 * package is missing.
 */
export const renderHtml = (data: ReportData): string => frame({
  kind: 'run',
  title: `${data.name} · Tapedeck ${data.rehearsal ? 'rehearsal' : 'run'} report`,
  body: body(data),
  data: pageData(data),
})
