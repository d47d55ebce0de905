import { thresholdCurves } from './curves.js'
import { decisionReader } from './decisions.js'
import { equityOverlay } from './equity.js'
import { matrixTable } from './matrix.js'
import { reliabilityDiagrams } from './reliability.js'

const data = JSON.parse(document.getElementById('report-data').textContent)
document.documentElement.classList.add('scripted')

let mark = () => {}
const show = decisionReader(data)
const equity = equityOverlay(data, (picked) => mark(picked))
mark = matrixTable(data, { open: (cell) => show(cell, true), pick: equity.pick })
thresholdCurves(data)
reliabilityDiagrams(data)

const best = data.windows.flatMap((window) => window.best ?? [])
for (const cell of best) equity.pick(cell, true)
equity.show(0)
if (data.cells.length > 0) show(best[0] ?? 0, false)
