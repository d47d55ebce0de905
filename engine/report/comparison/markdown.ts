import type { Comparison } from '../../compare/comparison.ts'
import { plain } from '../text.ts'
import { badgesText, baselineRows, calibrationLines, FIGURES, fixedAxes, honestLines, namesOf, pairKind, pairText } from './wording.ts'

const field = (text: string): string => plain(text).replaceAll(/[\\|<>`*_[\]#]/g, (mark) => `\\${mark}`)

const row = (fields: readonly string[]): string => `| ${fields.map(field).join(' | ')} |`

/** The comparison as GitHub-flavoured Markdown: a table per window, and the honest lines under it. */
export function comparisonMarkdown(comparison: Comparison): string {
  const nameOf = namesOf(comparison)
  const lines = [`## ${field(comparison.name)}`, '']
  const fixed = fixedAxes(comparison)
  if (fixed !== '') lines.push(`Everywhere: ${field(fixed)}`, '')
  for (const warning of comparison.warnings) lines.push(`> ${field(warning)}`, '')
  for (const window of comparison.windows) {
    const cells = comparison.cells.filter(({ scenario }) => scenario === window.scenario)
    if (comparison.windows.length > 1) lines.push(`### ${field(window.scenario)}`, '')
    lines.push(row(['Cell', ...FIGURES.map(({ title }) => title), 'Marks']), `|${'---|'.repeat(FIGURES.length + 2)}`)
    for (const cell of cells) lines.push(row([cell.name, ...FIGURES.map(({ text }) => text(cell)), badgesText(cell)]))
    for (const [name, value, note] of baselineRows(window)) lines.push(row([name, value, ...FIGURES.slice(1).map(() => ''), note]))
    lines.push('', ...honestLines(window, cells).map((line) => `- ${field(line)}`))
    const ids = new Set(cells.map(({ id }) => id))
    for (const pair of comparison.pairs.filter(({ a }) => ids.has(a)).slice(0, 12)) lines.push(`- ${field(`${nameOf(pair.a)} ${pairKind(pair)} ${nameOf(pair.b)}: ${pairText(pair)}`)}`)
    lines.push(...calibrationLines(cells).map((line) => `- ${field(line)}`), '')
  }
  lines.push(...comparison.assumptions.map((line) => `- ${field(line)}`))
  return `${lines.join('\n')}\n`
}
