import { sortable } from '../sortable.js'
import { number } from '../theme.js'

/** The matrix: sorting, filters, ticks and names. Returns `mark(set)`, which ticks the boxes of what is drawn. */
export function matrixTable({ cells }, { open, pick }) {
  const table = document.getElementById('matrix-table')
  const rows = [...table.tBodies[0].rows]
  const find = document.getElementById('find')
  const matched = document.getElementById('matched')
  const filters = [...document.querySelectorAll('[data-filter]')]
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]))
  const kinds = new Map(rows.map((row) => [row, [...row.querySelectorAll('.mark')].map((mark) => mark.lastChild.textContent.trim())]))
  sortable(table)

  /** Baselines have no axes: they stay beside whatever is left of their scenario. */
  function passes(row, key, value) {
    if (value === '') return true
    if (key === 'scenario') return row.dataset.scenario === value
    if (row.dataset.cell === undefined) return true
    return key === 'badge' ? kinds.get(row).includes(value) : cells[Number(row.dataset.cell)].labels[key] === value
  }

  function apply() {
    const wanted = find.value.trim().toLowerCase().split(/\s+/)
    let count = 0
    for (const row of rows) {
      row.hidden = !(wanted.every((word) => texts.get(row).includes(word)) && filters.every(({ dataset, value }) => passes(row, dataset.filter, value)))
      if (!row.hidden && row.dataset.cell !== undefined) count++
    }
    matched.textContent = `${number(count, 0)} of ${number(cells.length, 0)} cells`
  }

  find.addEventListener('input', apply)
  for (const filter of filters) filter.addEventListener('change', apply)
  document.getElementById('clear').addEventListener('click', () => {
    for (const field of [find, ...filters]) field.value = ''
    apply()
  })
  table.addEventListener('click', (event) => {
    const link = event.target.closest('[data-open]')
    if (!link) return
    event.preventDefault()
    open(Number(link.dataset.open))
  })
  table.addEventListener('change', ({ target }) => {
    if (target.dataset.pick !== undefined) pick(Number(target.dataset.pick), target.checked)
  })
  apply()
  return (drawn) => {
    for (const box of table.querySelectorAll('[data-pick]')) box.checked = drawn.has(Number(box.dataset.pick))
  }
}
