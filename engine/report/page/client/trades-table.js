import { sortable } from './sortable.js'

/** Sorting, and the tie between a row and the chart. */
export function tradesTable(table, show) {
  sortable(table)
  table.addEventListener('click', (event) => {
    const row = event.target.closest('tr[data-trade]')
    if (!row || String(document.getSelection()) !== '') return
    event.preventDefault()
    show(Number(row.dataset.trade))
  })
  document.addEventListener('trade-shown', ({ detail }) => {
    for (const row of table.querySelectorAll('tr[aria-current]')) row.removeAttribute('aria-current')
    table.querySelector(`tr[data-trade="${detail}"]`)?.setAttribute('aria-current', 'true')
  })
}
