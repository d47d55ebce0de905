import { equityChart } from './equity-chart.js'
import { priceChart } from './price-chart.js'
import { tradesTable } from './trades-table.js'

const data = JSON.parse(document.getElementById('report-data').textContent)
document.documentElement.classList.add('scripted')

const show = data.charts.some((chart) => chart.steps.length > 0) ? priceChart(data) : () => {}
if (data.equity.values.length > 0) equityChart(data)
const table = document.getElementById('trades-table')
if (table) tradesTable(table, show)
