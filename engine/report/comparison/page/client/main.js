import { decisionViews } from './decisions.js'
import { equityOverlay } from './equity.js'
import { matrixTables } from './table.js'

const data = JSON.parse(document.getElementById('comparison-data').textContent)
document.documentElement.classList.add('scripted')

const list = document.getElementById('decision-list')
const show = decisionViews(list, document.getElementById('decision-view'), data)
matrixTables([...document.querySelectorAll('table.matrix')], {
  pick: equityOverlay(document.getElementById('equity-chart'), data),
  open: (id) => {
    show(id)
    list.scrollIntoView({ block: 'start' })
    list.focus({ preventScroll: true })
  },
})
