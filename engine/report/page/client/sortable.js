/**
 * Makes the table's headings sort it. Numbers sort as numbers, words as words; equal rows keep their first order; what has no value comes last
 * both ways.
 */
export function sortable(table) {
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
        return [row, v === '' ? null : words ? v : Number(v)]
      }))
      const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
      body.append(...rows.toSorted((one, other) => {
        const [a, b] = [keys.get(one), keys.get(other)]
        if (a === null || b === null) return (a === null) - (b === null)
        return falling ? order(b, a) : order(a, b)
      }))
    })
  })
}
