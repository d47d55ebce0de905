export interface JunitCase {
  readonly gate: string
  readonly cell: string
  readonly passed: boolean
  readonly message: string
}

// XML 1.0 has no control characters, escaped or not.
const escaped = (text: string): string =>
  text.replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, '?').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** JUnit XML: one case per gate and cell; without gates every cell is a case that passed, since it was played. */
export function renderJunit({ name, gates, cells }: { readonly name: string; readonly gates: readonly JunitCase[]; readonly cells: readonly string[] }): string {
  const cases = gates.length > 0 ? gates : cells.map((cell) => ({ gate: 'played', cell, passed: true, message: '' }))
  const lines = cases.map(({ gate, cell, passed, message }) => {
    const head = `    <testcase classname="${escaped(gate)}" name="${escaped(cell)}"`
    return passed ? `${head}/>` : `${head}><failure message="${escaped(message)}"/></testcase>`
  })
  const failures = cases.filter(({ passed }) => !passed).length
  const counts = `tests="${cases.length}" failures="${failures}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n  <testsuite name="${escaped(name)}" ${counts}>\n${lines.join('\n')}\n  </testsuite>\n</testsuites>\n`
}
