import { candlesAround } from './candles.js'
import { element, timeText } from './dom.js'

const percent = (value) => (value === null ? '–' : `${value > 0 ? '+' : ''}${(value * 100).toFixed(2)} %`.replace('-', '−'))

/** Shows a cell's decisions, and the one that is chosen among them with its turns and candles. */
export function decisionViews(list, view, data) {
  const open = (pass, row, line) => {
    for (const other of list.querySelectorAll('tr[aria-current]')) other.removeAttribute('aria-current')
    line.setAttribute('aria-current', 'true')
    const said = pass.opinions[row.opinion]
    const drawing = candlesAround(pass.charts[said.symbol], said.time)
    view.replaceChildren(
      element('h3', {}, `${said.action} of ${pass.symbols[said.symbol]} at ${timeText(said.time)}: ${row.status}${row.reason === null ? '' : `, ${row.reason}`}`),
      element('p', { class: 'soft' }, `${said.provider}; ${said.latencyMs > 0 ? `answered in ${Math.round(said.latencyMs)} ms` : 'at once'}${said.costUsd > 0 ? `, ${said.costUsd.toPrecision(2)} USD` : ''}; `
        + (row.status === 'EXECUTED' ? `the trade came to ${percent(row.earned)}` : `refused: it would have come to ${percent(row.earned)}`)),
      ...said.turns.map((turn, index) => element('div', { class: 'turn' },
        element('strong', {}, `${index === 0 ? 'Initial analysis' : `Refinement ${index}`}: ${turn.action} ${(turn.confidence * 100).toFixed(1)} %`), element('p', {}, turn.reasoning))),
      ...(drawing === null ? [element('p', { class: 'soft' }, 'The candles around it are not in this file.')] : [drawing]),
    )
  }
  return (id) => {
    const cell = data.cells[id]
    const pass = data.passes[cell.pass]
    const rows = pass?.decisions[id] ?? []
    view.replaceChildren()
    if (rows.length === 0) {
      list.replaceChildren(element('h3', {}, cell.name), element('p', { class: 'soft' }, 'It made no decision that is kept here.'))
      return
    }
    const body = element('tbody')
    for (const row of rows) {
      const { time, symbol, action, confidence } = pass.opinions[row.opinion]
      const button = element('button', { type: 'button' }, timeText(time))
      const line = element('tr', {}, element('th', { scope: 'row' }, button), element('td', {}, pass.symbols[symbol]), element('td', {}, action),
        element('td', { class: 'num' }, `${(confidence * 100).toFixed(1)} %`), element('td', {}, row.status.toLowerCase()), element('td', {}, row.reason ?? ''), element('td', { class: 'num' }, percent(row.earned)))
      button.addEventListener('click', () => open(pass, row, line))
      body.append(line)
    }
    const heads = ['Time, UTC', 'Symbol', 'Action', 'Confidence', 'Became', 'Reason', 'Earned, or would have'].map((title) => element('th', { scope: 'col' }, title))
    list.replaceChildren(
      element('h3', {}, cell.name),
      element('div', { class: 'scroll decision-scroll', role: 'region', 'aria-label': `Decisions of ${cell.name}`, tabindex: '0' },
        element('table', { class: 'data decision-table' }, element('thead', {}, element('tr', {}, ...heads)), body)),
      ...(pass.omitted > 0 ? [element('p', { class: 'note' }, `${pass.omitted} decisions of this pass are left out here; the cells' audit trails have them.`)] : []),
    )
  }
}
