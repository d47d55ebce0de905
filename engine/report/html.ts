import { html, inertJson, trusted, type Markup } from './markup.ts'
import { pageAssets, type PageAssets } from './page/assets.ts'
import { assumptions, breakdown, figures } from './page/breakdown.ts'
import { equityChart, priceChart } from './page/charts.ts'
import { footer, header, navigation } from './page/header.ts'
import { months } from './page/months.ts'
import { overview } from './page/overview.ts'
import { pageData } from './page/page-data.ts'
import { rehearsal } from './page/rehearsal.ts'
import { trades } from './page/trades.ts'
import type { ReportData } from './report-data.ts'

/** No network, no frames, no forms; only the page's own scripts and style, known by their hashes. */
const policy = ({ hashes }: PageAssets): string => [
  "default-src 'none'", `script-src ${hashes.charts} ${hashes.script}`, `style-src ${hashes.style}`, 'img-src data:',
  "base-uri 'none'", "form-action 'none'",
].join('; ')

/** A cassette. Inside the page, so that no browser asks a server for one. */
export const ICON = `data:image/svg+xml,${encodeURIComponent([
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#3257d5"/>',
  '<g fill="none" stroke="#fff" stroke-width="2.5"><rect x="4" y="8" width="24" height="16" rx="4"/>',
  '<circle cx="11" cy="16" r="3"/><circle cx="21" cy="16" r="3"/></g></svg>',
].join(''))}`

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
export function renderHtml(data: ReportData): string {
  const assets = pageAssets()
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy(assets))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${data.name} · Tapedeck ${data.rehearsal ? 'rehearsal' : 'run'} report</title>
<link rel="icon" href="${trusted(ICON)}">
<style>${trusted(assets.style)}</style>
</head>
<body>${body(data)}
<script type="application/json" id="report-data">${inertJson(pageData(data))}</script>
<script>${trusted(assets.charts)}</script>
<script type="module">${trusted(assets.script)}</script>
</body>
</html>
`.text
}
