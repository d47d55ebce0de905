/** Makes the table's headings sort it. Numbers sort as numbers, words as words; equal rows keep the run's order. */
function sortable(table) {
  const body = table.tBodies[0]
  const rows = [...body.rows]
  const headings = [...table.tHead.rows[0].cells]
  headings.forEach((heading, column) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.append(...heading.childNodes)
    heading.append(button)
    button.addEventListener('click', () => {
      const falling = heading.getAttribute('aria-sort') === 'ascending'
      for (const other of headings) other.removeAttribute('aria-sort')
      heading.setAttribute('aria-sort', falling ? 'descending' : 'ascending')
      const words = rows.some((row) => Number.isNaN(Number(row.cells[column].dataset.v)))
      const keys = new Map(rows.map((row) => {
        const { v } = row.cells[column].dataset
        return [row, words ? v : Number(v)]
      }))
      const order = (a, b) => (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : 0)
      body.append(...rows.toSorted((a, b) => (falling ? order(b, a) : order(a, b))))
    })
  })
}

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
