import { element } from './dom.js'

/** Makes headings sort, names open, boxes pick, and the filters above hide what does not fit. */
export function matrixTables(tables, { pick, open }) {
  for (const table of tables) {
    sortable(table)
    for (const row of table.tBodies[0].rows) {
      const name = row.cells[1]
      const button = element('button', { type: 'button', title: 'Show its decisions' }, ...name.childNodes)
      name.append(button)
      button.addEventListener('click', () => {
        for (const other of document.querySelectorAll('.matrix tr[aria-current]')) other.removeAttribute('aria-current')
        row.setAttribute('aria-current', 'true')
        open(row.dataset.cell)
      })
    }
    table.addEventListener('change', () => pick(picked(tables)))
  }
  const text = document.getElementById('filter')
  const axes = [...document.querySelectorAll('select[data-axis]')]
  const count = document.getElementById('filter-count')
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows])
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean)
    let shown = 0
    for (const row of rows) {
      const values = JSON.parse(row.dataset.axes)
      const all = `${row.cells[1].textContent} ${row.cells[2].textContent}`.toLowerCase()
      row.hidden = !words.every((word) => all.includes(word)) || axes.some((axis) => axis.value !== '' && values[axis.dataset.axis] !== axis.value)
      if (!row.hidden) shown++
    }
    count.textContent = shown === rows.length ? '' : `${shown} of ${rows.length} cells`
  }
  text.addEventListener('input', filter)
  for (const axis of axes) axis.addEventListener('change', filter)
  pick(picked(tables))
}

const picked = (tables) => tables.flatMap((table) => [...table.querySelectorAll('tr[data-cell] input:checked')].map((box) => box.closest('tr').dataset.cell))

function sortable(table) {
  const body = table.tBodies[0]
  const rows = [...body.rows]
  const headings = [...table.tHead.rows[0].cells]
  headings.slice(1).forEach((heading, index) => {
    const column = index + 1
    const button = element('button', { type: 'button' }, ...heading.childNodes)
    heading.append(button)
    const words = rows.some((row) => Number.isNaN(Number(row.cells[column].dataset.v)))
    button.addEventListener('click', () => {
      // Figures begin with the largest, names with the first.
      const was = heading.getAttribute('aria-sort')
      const falling = was === null ? !words : was === 'ascending'
      for (const other of headings) other.removeAttribute('aria-sort')
      heading.setAttribute('aria-sort', falling ? 'descending' : 'ascending')
      const key = (row) => (words ? row.cells[column].dataset.v : Number(row.cells[column].dataset.v))
      const order = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)
      body.append(...rows.toSorted((a, b) => (falling ? order(b, a) : order(a, b))))
    })
  })
}
